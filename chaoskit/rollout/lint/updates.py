"""What a workload's way of updating cannot promise."""

from collections.abc import Iterator

from chaoskit.rollout.facts import ROLLED, WorkloadFacts
from chaoskit.rollout.lint.finding import Finding, finding

_LONG_DEADLINE_S = 2**31 - 1


def not_rolled(facts: WorkloadFacts) -> Iterator[Finding]:
    """Pods that no controller rolls."""
    if facts.kind == "Pod":
        yield finding(
            facts,
            "bare-pod",
            "kind",
            "nothing makes it again when its node is lost or it is evicted",
            "put it into a Deployment",
            "P13",
        )
    elif facts.kind in ("ReplicationController", "ReplicaSet"):
        yield finding(
            facts,
            "no-rollout",
            "kind",
            "a changed template reaches no running pod",
            "make it a Deployment",
            "R14",
        )


def recreate(facts: WorkloadFacts) -> Iterator[Finding]:
    """An update that ends every pod first."""
    if facts.kind == "Deployment" and facts.strategy == "Recreate":
        yield finding(
            facts,
            "recreate",
            "spec.strategy.type",
            "each update is an outage: all old pods end before the first new one starts",
            "RollingUpdate, unless two versions must never run at once",
            "R4",
        )


def on_delete(facts: WorkloadFacts) -> Iterator[Finding]:
    """An update that waits for somebody to delete pods."""
    if facts.strategy == "OnDelete":
        yield finding(
            facts,
            "on-delete",
            "spec.updateStrategy.type",
            "a changed template reaches a pod only when somebody deletes it",
            "RollingUpdate",
            "S7" if facts.kind == "StatefulSet" else "D2",
        )


def bounds(facts: WorkloadFacts) -> Iterator[Finding]:
    """Bounds that let all pods go, or that the API refuses."""
    if facts.kind not in ROLLED or facts.strategy != "RollingUpdate":
        return
    written = (facts.bound("maxSurge"), facts.bound("maxUnavailable"))
    if all(value in (0, "0%") for value in written):
        yield finding(
            facts,
            "no-room-to-roll",
            "maxSurge, maxUnavailable",
            "the API refuses both being 0",
            "maxUnavailable: 1" if facts.kind == "StatefulSet" else "maxSurge: 1",
            "R3",
        )
        return
    every = facts.bound("maxUnavailable") == "100%" if facts.replicas is None else False
    none_left = facts.always_available == 0 and (facts.replicas or 0) > 0
    if every or none_left:
        yield finding(
            facts,
            "all-unavailable",
            "maxUnavailable",
            f"an update may take every pod away at once (replicas {facts.replicas or 'by node'}, "
            f"maxUnavailable {facts.bound('maxUnavailable')})",
            "maxUnavailable: 0 with maxSurge: 1"
            if facts.kind == "Deployment"
            else "more members, or fewer unavailable at once",
            "R2" if facts.kind == "Deployment" else "S7" if facts.kind == "StatefulSet" else "D2",
        )


def deadline(facts: WorkloadFacts) -> Iterator[Finding]:
    """A progress deadline that says nothing, or that the API refuses."""
    if facts.kind != "Deployment":
        return
    if facts.deadline_s <= facts.min_ready_s:
        yield finding(
            facts,
            "deadline-too-short",
            "spec.progressDeadlineSeconds",
            f"{facts.deadline_s} s are not more than minReadySeconds ({facts.min_ready_s} s): the "
            "API refuses it",
            "more than minReadySeconds and the time that a pod takes to start",
            "R10",
        )
    elif facts.deadline_s >= _LONG_DEADLINE_S:
        yield finding(
            facts,
            "no-deadline",
            "spec.progressDeadlineSeconds",
            "a rollout that stands still is never reported",
            "a few times what a pod takes to start",
            "R10",
        )


def min_ready(facts: WorkloadFacts) -> Iterator[Finding]:
    """New pods that count at once."""
    if facts.kind in ROLLED and facts.has_readiness and facts.min_ready_s == 0:
        yield finding(
            facts,
            "no-min-ready",
            "spec.minReadySeconds",
            "a version that fails after its first requests goes out everywhere",
            "as many seconds as it takes to see that a pod is good",
            "R11",
        )


def history(facts: WorkloadFacts) -> Iterator[Finding]:
    """No way back."""
    if facts.kind in ROLLED and facts.history_limit == 0:
        yield finding(
            facts,
            "no-undo",
            "spec.revisionHistoryLimit",
            "no old revision is kept: kubectl rollout undo has nothing to go back to",
            "2 or more",
            "R8",
        )


def paused(facts: WorkloadFacts) -> Iterator[Finding]:
    """A rollout that is held."""
    if facts.kind == "Deployment" and facts.spec.get("paused"):
        yield finding(
            facts,
            "paused",
            "spec.paused",
            "no change reaches a pod, and undo is refused",
            "leave it out",
            "R16",
        )


RULES = (not_rolled, recreate, on_delete, bounds, deadline, min_ready, history, paused)
