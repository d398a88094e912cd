"""Waiting for conditions, each with a deadline and an early way out of hopeless states."""

from collections.abc import Callable
from typing import TypeVar

import tenacity

from chaoskit import clock
from chaoskit.errors import Hopeless, WaitTimeout

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    *,
    what: str,
    timeout_s: float,
    interval_s: float = 0.1,
    seen: Callable[[], object] | None = None,
    hopeless: Callable[[], str | None] | None = None,
    next_step: str | None = None,
) -> T:
    """Call `condition` until it returns something truthy, and return that.

    `what` completes the sentence "waited for …". `seen` is asked for the last state when the
    deadline passes. `hopeless` returns a reason as soon as waiting on is pointless.
    Raises `WaitTimeout` at the deadline and `Hopeless` at the reason; an exception of
    `condition` passes through.
    """
    started_ns = clock.now_ns()

    def attempt() -> T | None:
        value = condition()
        if not value and hopeless is not None and (reason := hopeless()):
            raise Hopeless(
                f"waited for {what}, which can no longer happen",
                seen=reason,
                spent_s=(clock.now_ns() - started_ns) / 1e9,
                next_step=next_step,
            )
        return value

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(timeout_s),
        wait=tenacity.wait_fixed(interval_s),
        retry=tenacity.retry_if_result(lambda value: not value),
    )
    try:
        value = retrying(attempt)
    except tenacity.RetryError:
        raise WaitTimeout(
            f"waited for {what}",
            seen=seen() if seen is not None else None,
            spent_s=(clock.now_ns() - started_ns) / 1e9,
            next_step=next_step,
        ) from None
    assert value is not None  # the retry condition lets only truthy values through
    return value
