"""Pods on a node that a fault befalls: which they are, and how many a workload wants."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.disturbances import pods_of
from chaoskit.guarantees.objects.watched import (
    Object,
    is_finished,
    is_leaving,
    latest,
    name_of,
    require_watched,
)
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


def windows_on(history: History, found: Findings, fault: str, node: str) -> list[FaultWindow]:
    """The windows of `fault` on `node` (a component's target ends with its node), with doubts."""
    windows = [w for w in fault_windows(history, fault) if name_of(w.target) == node]
    found.doubt(*fault_doubts(windows, f"{fault} on {node}"))
    found.coverage["injections"] = len(windows)
    return windows


@dataclass(frozen=True, kw_only=True)
class Befallen:
    """A pod that was on the node when a fault was requested there; `later`: its changes since."""

    pod: Watched
    later: Sequence[Watched]
    window: FaultWindow

    @property
    def told_to_go(self) -> Watched | None:
        """Its first change that says that it goes, or is gone."""
        return told_to_go(self.later)


def told_to_go(events: Iterable[Watched]) -> Watched | None:
    """The first of a pod's changes that says that it goes, or is gone."""
    return next((e for e in events if e.change == "DELETED" or is_leaving(e.object)), None)


def befallen(
    history: History, found: Findings, *, workload: str, kind: str, node: str, fault: str
) -> Iterator[Befallen]:
    """Each pod of the workload that the fault befalls on that node, window by window.

    Doubts a fault that was not there, pods that were not watched, and that there was none.
    """
    pods = pods_of(history, kind, workload)
    require_watched(found, history, {event.uid for event in pods}, ["Pod"])
    windows = windows_on(history, found, fault, node)
    found.coverage["pods on the node"] = 0
    for window in windows:
        for uid, pod in pods_on(pods, node, window.requested_ns).items():
            found.coverage["pods on the node"] += 1
            later = [e for e in pods if e.uid == uid and e.time_ns > window.requested_ns]
            yield Befallen(pod=pod, later=later, window=window)
    if not found.coverage["pods on the node"]:
        found.doubt(f"no pod of {workload} was on {node}")


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
