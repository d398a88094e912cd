"""Pods on a node that a fault befalls: which they are, and how many a workload wants."""

from collections.abc import Iterable, Sequence

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import (
    Object,
    is_finished,
    is_leaving,
    latest,
    name_of,
)
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


def windows_on(history: History, found: Findings, fault: str, node: str) -> list[FaultWindow]:
    """The windows of `fault` on `node` (a component's target ends with its node), with doubts."""
    windows = [w for w in fault_windows(history, fault) if name_of(w.target) == node]
    found.doubt(*fault_doubts(windows, f"{fault} on {node}"))
    found.coverage["injections"] = len(windows)
    return windows


def lasted_until_ns(history: History, window: FaultWindow) -> int:
    """The last moment at which the fault was surely there; the record's end if nobody healed it."""
    return window.heal_requested_ns or window.healed_ns or history.events[-1].time_ns


def pods_on(pods: Iterable[Watched], node: str, at_ns: int) -> dict[str, Watched]:
    """Those bound to the node at that moment that neither leave nor have ended, by uid."""
    return {
        uid: event
        for uid, event in latest(pods, at_ns).items()
        if event.object["spec"].get("nodeName") == node
        and not is_leaving(event.object)
        and not is_finished(event.object)
    }


def desired_pods(workloads: Sequence[Object]) -> int:
    """How many pods these want: replicas, or a DaemonSet's number of eligible nodes."""
    return sum(_desired(each) for each in workloads)


def _desired(workload: Object) -> int:
    eligible = (workload.get("status") or {}).get("desiredNumberScheduled")
    if eligible is not None:
        return int(eligible)
    return int((workload.get("spec") or {}).get("replicas", 1))
