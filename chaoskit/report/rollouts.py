"""Spans of rollouts: how far each workload's controller had come, from its status."""

from collections.abc import Iterable
from typing import Any

from chaoskit.history.events import Watched
from chaoskit.report.objects import NOT_DRAWN, states_by_name
from chaoskit.report.spans import Span

_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


def rollout_spans(watched: Iterable[Watched], end_ns: int) -> dict[str, list[Span]]:
    """Per workload that ever changed: `complete`, or `rolling` with what is done of it.

    `revision` holds the words to draw: updated of desired pods.
    """
    workloads = (w for w in watched if w.kind in _KINDS and w.namespace not in NOT_DRAWN)
    found = states_by_name(workloads, _rollout_state, end_ns, key=lambda w: f"{w.kind} {w.name}")
    return {name: spans for name, spans in found.items() if len(spans) > 1}


def _rollout_state(event: Watched) -> tuple[str, str, str]:
    thing = event.object
    generation = thing.get("metadata", {}).get("generation", 0)
    status = thing.get("status") or {}
    is_seen = status.get("observedGeneration", 0) >= generation
    desired, updated, available, every = _counts(event.kind, thing)
    done = is_seen and updated >= desired and available >= desired and every <= desired
    words = f"{updated}/{desired} updated" if updated < desired else f"{available}/{desired} ready"
    if not is_seen:
        words = "not yet seen by its controller"
    title = (
        f"{event.kind} {event.name}, generation {generation}: {desired} wanted,"
        f" {updated} updated, {available} available, {every} in all"
    )
    paused = " (paused)" if thing.get("spec", {}).get("paused") else ""
    return "complete" if done else "rolling", title + paused, "" if done else words + paused


def _counts(kind: str, thing: dict[str, Any]) -> tuple[int, int, int, int]:
    """Wanted, updated, available pods, and all of them."""
    status = thing.get("status") or {}
    if kind == "DaemonSet":
        names = ("updatedNumberScheduled", "numberAvailable", "currentNumberScheduled")
        desired = int(status.get("desiredNumberScheduled") or 0)
    else:
        names = ("updatedReplicas", "availableReplicas", "replicas")
        spec = thing.get("spec", {}).get("replicas")
        desired = 1 if spec is None else int(spec)
    updated, available, every = (int(status.get(name) or 0) for name in names)
    return desired, updated, available, every
