"""When pods of lost nodes are given up: within bounds, or not at all while too many are lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.disturbances import pods_of
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    is_finished,
    is_leaving,
    is_ready,
    kind_of,
    latest,
    name_of,
    require_watched,
    steps,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_ABSENCES = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


@dataclass(frozen=True, kw_only=True)
class EvictionsStop:
    """Where too many nodes are lost at once, their pods are no longer given up.

    Nodes are lost one after the other, so the first may have got its NoExecute taint before the
    last was lost: what that takes away is counted, not charged. Claims: from when all of `nodes`
    are not Ready, for at least `at_least_s` and until the first of them is healed, no further one
    is tainted, and no pod of the workload on one that was not tainted by then is told to end.
    Violated when: one is.
    Unknown when: they were never all not Ready, or not for so long; no pod was on one without the
    taint; a step on record deleted it; the fault was not proved in effect on each; or nodes or pods
    were not watched throughout.
    """

    workload: str
    kind: str
    nodes: tuple[str, ...]
    fault: str
    at_least_s: float

    name: ClassVar[str] = "evictions_stop"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        many = f"{len(self.nodes)} nodes"
        found = Findings(title=f"pods of {self.workload} are kept while {many} are lost")
        pods, windows = _seen(found, history, self.workload, self.kind, self.nodes, self.fault)
        nodes = [event for event in changes(history, "Node") if event.name in self.nodes]
        require_watched(found, history, {event.uid for event in nodes}, ["Node"])
        healing = [w.heal_requested_ns for w in windows if w.heal_requested_ns is not None]
        end_ns = min(healing, default=0)
        lost_ns = _all_lost_ns(nodes, self.nodes, end_ns)
        if lost_ns is None:
            found.doubt(f"{', '.join(self.nodes)} were never all not Ready")
            return conclude(self, found)
        lasted_s = (end_ns - lost_ns) / 1e9
        if lasted_s < self.at_least_s:
            found.doubt(f"all were lost for {lasted_s:.1f} s ({self.at_least_s:.1f} s needed)")
        settled_ns = lost_ns + SLACK_NS
        tainted = {e.name for e in nodes if e.time_ns <= settled_ns and _is_tainted(e)}
        kept = [node for node in self.nodes if node not in tainted]
        for event in nodes:
            if settled_ns < event.time_ns <= end_ns and event.name in kept and _is_tainted(event):
                found.violate(event.time_ns, f"{event.name} was tainted", event.name)
        there = _bound(pods, kept, settled_ns)
        found.coverage |= {"nodes lost": len(self.nodes), "tainted before": len(tainted)}
        found.coverage["pods kept"] = len(there)
        if not there:
            found.doubt(f"no pod of {self.workload} was on a node without the taint")
        for event in _first_leaving(pods, there):
            if event.time_ns > end_ns:
                continue
            after_s = (event.time_ns - lost_ns) / 1e9
            text = f"{event.name} was told to end {after_s:.1f} s after all were lost"
            if steps(history, "delete", event.name):
                found.doubt(f"{text}, by a step")
            else:
                found.violate(event.time_ns, text, event.name)
        found.figures["lost_together_s"] = lasted_s
        found.summary = (
            f"{len(there)} pods kept for {lasted_s:.1f} s; {len(tainted)} nodes tainted before"
        )
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class PodsEvictedWithin:
    """The pods of lost nodes are given up, neither too soon nor too late.

    Claims: each pod of the workload that was bound to one of `nodes` when `fault` was injected
    there is told to end not earlier than `not_before_s` and not later than `at_most_s` after that.
    Violated when: one is earlier, later, or not at all though the fault lasted that long.
    Unknown when: the fault was never injected there, not proved in effect, or lasted less than
    `at_most_s` with a pod still there; no pod was there; a step on record deleted one; or the pods
    were not watched throughout.
    """

    workload: str
    kind: str
    nodes: tuple[str, ...]
    fault: str
    not_before_s: float
    at_most_s: float

    name: ClassVar[str] = "pods_evicted_within"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        bound = f"{self.not_before_s:g} to {self.at_most_s:g} s"
        found = Findings(title=f"pods of {self.workload} on lost nodes are given up in {bound}")
        pods, windows = _seen(found, history, self.workload, self.kind, self.nodes, self.fault)
        count = 0
        for window in windows:
            count += self._judge(found, history, pods, window)
        found.coverage |= {"nodes": len(self.nodes), "pods on them": count}
        if windows and not count:
            found.doubt(f"no pod of {self.workload} was on them")
        if "first_after_s" in found.figures:
            first, last = found.figures["first_after_s"], found.figures["last_after_s"]
            found.summary = f"{count} pods given up after {first:.1f} to {last:.1f} s ({bound})"
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, pods: Sequence[Watched], window: FaultWindow
    ) -> int:
        if window.injected_ns is None:
            return 0
        end_ns = window.heal_requested_ns or history.events[-1].time_ns
        there = _bound(pods, (name_of(window.target),), window.injected_ns)
        told = {e.uid: e for e in _first_leaving(pods, there) if e.time_ns <= end_ns}
        for uid, name in there.items():
            if steps(history, "delete", name):
                found.doubt(f"{name} was deleted by a step")
                continue
            event = told.get(uid)
            time_ns = end_ns if event is None else event.time_ns
            after_s = (time_ns - window.injected_ns) / 1e9
            if event is None and after_s < self.at_most_s:
                found.doubt(f"{self.fault} lasted only {after_s:.1f} s, {name} still there")
            elif event is None:
                found.violate(time_ns, f"{name} was still there after {after_s:.1f} s", name)
            else:
                figures = found.figures
                figures["first_after_s"] = min(after_s, figures.get("first_after_s", after_s))
                figures["last_after_s"] = max(after_s, figures.get("last_after_s", after_s))
                if not self.not_before_s <= after_s <= self.at_most_s:
                    text = f"{name} was told to end after {after_s:.1f} s"
                    found.violate(time_ns, text, name, weight=after_s)
        return len(there)


def evictions_stop(
    workload: Subject,
    nodes: Sequence[Subject],
    *,
    at_least_s: float,
    fault: str = "nic_down",
    kind: str | None = None,
) -> EvictionsStop:
    """No further pod of these nodes is given up while all are lost; see `EvictionsStop`.

    Raises `UsageError` without nodes, or for a time that is not positive.
    """
    _require("evictions_stop", nodes, at_least_s)
    return EvictionsStop(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        nodes=tuple(name_of(node) for node in nodes),
        fault=fault,
        at_least_s=at_least_s,
    )


def pods_evicted_within(
    workload: Subject,
    nodes: Sequence[Subject],
    *,
    not_before_s: float,
    at_most_s: float,
    fault: str = "nic_down",
    kind: str | None = None,
) -> PodsEvictedWithin:
    """The pods of these lost nodes are given up in time; see `PodsEvictedWithin`.

    Raises `UsageError` without nodes, or for bounds that are no bounds.
    """
    _require("pods_evicted_within", nodes, at_most_s - not_before_s)
    return PodsEvictedWithin(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        nodes=tuple(name_of(node) for node in nodes),
        fault=fault,
        not_before_s=not_before_s,
        at_most_s=at_most_s,
    )


def _require(what: str, nodes: Sequence[Subject], span_s: float) -> None:
    if not nodes or span_s <= 0:
        raise UsageError(
            "claims nothing",
            subject=what,
            seen=f"{len(nodes)} nodes, {span_s:g} s",
            next_step="name nodes, and a time above 0",
        )


def _seen(
    found: Findings,
    history: History,
    workload: str,
    kind: str,
    nodes: Sequence[str],
    fault: str,
) -> tuple[list[Watched], list[FaultWindow]]:
    """The workload's pods, and the fault's windows on these nodes; doubts what is missing."""
    pods = pods_of(history, kind, workload)
    require_watched(found, history, {event.uid for event in pods}, [kind, "Pod"])
    windows = [w for w in fault_windows(history, fault) if name_of(w.target) in nodes]
    found.doubt(*fault_doubts(windows, fault))
    hit = {name_of(window.target) for window in windows}
    found.doubt(*(f"{fault} was never injected on {node}" for node in nodes if node not in hit))
    return pods, windows


def _all_lost_ns(nodes: Sequence[Watched], names: Sequence[str], end_ns: int) -> int | None:
    """When, before `end_ns`, the last of them was seen not Ready with all others still so."""
    lost: set[str] = set()
    since_ns: int | None = None
    for event in nodes:
        if event.time_ns > end_ns:
            break
        if event.change == "DELETED" or is_ready(event.object):
            lost.discard(event.name)
            since_ns = None
            continue
        lost.add(event.name)
        if since_ns is None and lost == set(names):
            since_ns = event.time_ns
    return since_ns


def _is_tainted(node: Watched) -> bool:
    """Whether pods that do not tolerate its absence are to go from it."""
    taints = node.object.get("spec", {}).get("taints") or ()
    return any(each["key"] in _ABSENCES and each["effect"] == "NoExecute" for each in taints)


def _bound(pods: Sequence[Watched], nodes: Sequence[str], at_ns: int) -> dict[str, str]:
    """The pods on these nodes at that moment, by uid: neither ending nor ended."""
    return {
        uid: event.name
        for uid, event in latest(pods, at_ns).items()
        if event.object["spec"].get("nodeName") in nodes
        and not is_leaving(event.object)
        and not is_finished(event.object)
    }


def _first_leaving(pods: Sequence[Watched], uids: dict[str, str]) -> list[Watched]:
    """The first change of each of these pods that tells it to end."""
    first: dict[str, Watched] = {}
    for event in pods:
        if event.uid in uids and (event.change == "DELETED" or is_leaving(event.object)):
            first.setdefault(event.uid, event)
    return list(first.values())
