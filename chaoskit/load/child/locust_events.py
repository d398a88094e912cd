"""Locust's own view of our requests: its request event, and its totals in the log."""

import logging

from locust.env import Environment

from chaoskit.load.child.asking import Ended

_log = logging.getLogger(__name__)


class RequestNotOk(Exception):
    """What Locust's listeners are told of a request that was not ok: outcome, class, phase."""


def fire_request(environment: Environment, ended: Ended) -> None:
    """Tell Locust's listeners of a request; its time runs from the planned moment."""
    slot, judged, answer = ended.slot, ended.judged, ended.answer
    exception = None
    if judged.outcome != "ok":
        exception = RequestNotOk(f"{judged.outcome}: {judged.error} in {judged.error_phase}")
    environment.events.request.fire(  # type: ignore[no-untyped-call]
        request_type=slot.operation.method,
        name=f"{slot.stream.name} {slot.operation.name}",
        response_time=(ended.end_ns - ended.planned_ns) / 1e6,
        response_length=answer.body_bytes if answer is not None else 0,
        response=answer,
        exception=exception,
        context={"slot": slot.number, "planned_ns": ended.planned_ns},
        url=slot.operation.path,
    )


def log_totals(environment: Environment) -> None:
    """How many requests Locust saw."""
    total = environment.stats.total
    _log.info("Locust saw %d requests, %d not ok", total.num_requests, total.num_failures)
