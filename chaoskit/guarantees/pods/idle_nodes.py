"""Nodes on which nothing starts, and to which nothing is bound, while a fault is there."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.processes import scan_doubts
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    in_namespace,
    is_ready,
    latest,
    name_of,
    owner,
    require_watched,
)
from chaoskit.guarantees.pods.on_nodes import lasted_until_ns, windows_on
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import ContainerSeen
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NothingStarts:
    """No container starts on a node while a fault is there, though one should.

    Claims: no container is first seen on `node`, in its kernel, between the injection of `fault`
    there and the moment when it is to be healed; though a container ended there meanwhile, or a
    pod of the run waited there, not Ready, at its end.
    Violated when: one starts.
    Unknown when: the fault was never injected there or not proved in effect, the node was not
    scanned, nothing had a reason to start, or the pods were not watched throughout.
    """

    node: str
    fault: str

    name: ClassVar[str] = "nothing_starts"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"nothing starts on {self.node} during {self.fault}")
        require_watched(found, history, (), ["Pod"])
        reasons = 0
        for window in windows_on(history, found, self.fault, self.node):
            reasons += self._judge(found, history, window)
        if not reasons:
            found.doubt(f"nothing had a reason to start on {self.node}")
        return conclude(self, found)

    def _judge(self, found: Findings, history: History, window: FaultWindow) -> int:
        """How many containers or pods had a reason to start."""
        if window.injected_ns is None:
            return 0
        until_ns = lasted_until_ns(history, window)
        found.doubt(*scan_doubts(history, [self.node], window.injected_ns, until_ns))
        pods = in_namespace(changes(history, "Pod"), history)
        names = {event.uid: event.name for event in pods}
        ended = 0
        for seen in history.of(ContainerSeen):
            if seen.node != self.node or not window.injected_ns <= seen.before_ns <= until_ns:
                continue
            if seen.state == "gone":
                ended += 1
            elif seen.time_ns <= until_ns:
                after_s = (seen.time_ns - window.injected_ns) / 1e9
                who = names.get(seen.pod_uid, f"pod {seen.pod_uid}")
                text = f"a container of {who} started after {after_s:.1f} s"
                found.violate(seen.time_ns, text, who, seen.container_id)
        waiting = [
            event.name
            for event in latest(pods, until_ns).values()
            if event.object["spec"].get("nodeName") == self.node and not is_ready(event.object)
        ]
        lasted_s = (until_ns - window.injected_ns) / 1e9
        found.figures["idle_s"] = lasted_s
        found.coverage |= {"containers ended": ended, "pods waiting": len(waiting)}
        found.summary = (
            f"{ended} containers ended and {len(waiting)} pods waited in {lasted_s:.1f} s"
        )
        return ended + len(waiting)


@dataclass(frozen=True, kw_only=True)
class NothingBound:
    """No pod is bound to a node while a fault is there, though others are bound elsewhere.

    Claims: from 1 s after the injection of `fault` on `node` (the scheduler acts on what it saw a
    moment ago) until it is to be healed no pod of the run is bound to it, those of DaemonSets
    aside, while at least one is bound to another node.
    Violated when: one is.
    Unknown when: the fault was never injected there or not proved in effect, no pod was bound to
    any other node meanwhile, or the pods were not watched throughout.
    """

    node: str
    fault: str

    name: ClassVar[str] = "nothing_bound"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"no pod is bound to {self.node} during {self.fault}")
        pods = in_namespace(changes(history, "Pod"), history)
        require_watched(found, history, {event.uid for event in pods}, ["Pod"])
        bound: dict[str, tuple[int, str, str]] = {}
        for event in pods:
            node = event.object["spec"].get("nodeName")
            if node and event.uid not in bound and owner(event.object, "DaemonSet") is None:
                bound[event.uid] = event.time_ns, str(node), event.name
        elsewhere = 0
        for window in windows_on(history, found, self.fault, self.node):
            if window.injected_ns is None:
                continue
            start_ns, end_ns = window.injected_ns + SLACK_NS, lasted_until_ns(history, window)
            for time_ns, node, pod in bound.values():
                if not start_ns <= time_ns <= end_ns:
                    continue
                if node != self.node:
                    elsewhere += 1
                    continue
                found.violate(time_ns, f"{pod} was bound to {self.node}", pod, self.node)
        found.coverage["pods bound to other nodes"] = elsewhere
        found.summary = f"{elsewhere} pods were bound to other nodes"
        if not elsewhere:
            found.doubt("no pod was bound to any other node meanwhile")
        return conclude(self, found)


def nothing_starts(node: Subject, *, fault: str) -> NothingStarts:
    """No container starts on a node during a fault; see `NothingStarts`."""
    return NothingStarts(node=name_of(node), fault=fault)


def nothing_bound(node: Subject, *, fault: str) -> NothingBound:
    """No pod is bound to a node during a fault; see `NothingBound`."""
    return NothingBound(node=name_of(node), fault=fault)
