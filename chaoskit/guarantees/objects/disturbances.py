"""What was not Kubernetes' own doing: who took a pod away, and what kept it from acting in time."""

from collections.abc import Iterable
from dataclasses import dataclass

from chaoskit.guarantees.fault_windows import FaultWindow, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    changes,
    condition,
    is_ready,
    name_of,
    owned_by,
    steps,
)
from chaoskit.guarantees.objects.watched import in_namespace as of_this_run
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"

#: After a heal, clients of the API server come back with growing waits, and what piled up is
#: worked off: nothing is charged that comes so late because of it.
_SETTLE_NS = 10_000_000_000


def pods_of(history: History, kind: str, name: str) -> list[Watched]:
    """Every change of every pod of a workload; of the kind Pod, of the pods of that name."""
    if kind == "Pod":
        return [e for e in of_this_run(changes(history, "Pod"), history) if e.name == name]
    return owned_by(history, kind, name).pods


@dataclass(frozen=True)
class Takers:
    """The steps and faults that took pods away; everything else is a controller's doing."""

    of_pod: dict[str, list[Span]]
    of_node: dict[str, list[Span]]

    @classmethod
    def of(cls, history: History, pods: Iterable[Watched]) -> "Takers":
        """Those on record for these pods and their nodes."""
        events = list(pods)
        names = {event.name for event in events}
        nodes = {str(event.object["spec"].get("nodeName")) for event in events}
        hit = [(name_of(window.target), window.span) for window in fault_windows(history)]
        of_pod = {
            name: [span for target, span in hit if target == name]
            + _step_spans(history, ("delete", "evict"), name)
            for name in names
        }
        of_node = {node: _step_spans(history, ("drain",), node) for node in nodes}
        return cls(of_pod, of_node)

    def took(self, event: Watched) -> bool:
        """Whether somebody but its controller took the pod away with this change.

        Evictions, taints, preemption, garbage collection and node shutdown leave the condition
        DisruptionTarget; steps and faults are on record.
        """
        if condition(event.object, "DisruptionTarget").get("status") == "True":
            return True
        node = str(event.object["spec"].get("nodeName"))
        spans = (*self.of_pod.get(event.name, ()), *self.of_node.get(node, ()))
        return any(start <= event.time_ns <= end for start, end in spans)


@dataclass(frozen=True)
class Disturbances:
    """The faults, and what the nodes' conditions were, change by change."""

    windows: list[FaultWindow]
    nodes: dict[str, list[Watched]]
    pods: frozenset[str]

    @classmethod
    def of(cls, history: History) -> "Disturbances":
        """Those on record."""
        nodes: dict[str, list[Watched]] = {}
        for event in changes(history, "Node"):
            nodes.setdefault(event.name, []).append(event)
        pods = frozenset(event.name for event in changes(history, "Pod"))
        return cls(fault_windows(history), nodes, pods)

    def around(self, pod: str, node: str, start_ns: int, end_ns: int) -> list[str]:
        """Why the lateness of what befell a pod between two moments is nobody's fault but ours.

        A fault counts when it hit the pod, its node, the control plane or a part of the cluster;
        one on another worker node or another pod does not.
        """
        reasons = [
            f"{window.name} on {window.target} was in effect"
            for window in self._windows(start_ns, end_ns)
            if name_of(window.target) in (pod, node) or self._hits_control_plane(window)
        ]
        if self._was_not_ready(node, start_ns, end_ns):
            reasons.append(f"node {node} was not Ready")
        return reasons

    def of_control_plane(self, start_ns: int, end_ns: int) -> list[str]:
        """Why controllers may have acted between two moments on what they saw long before."""
        return [
            f"{window.name} on {window.target} was in effect"
            for window in self._windows(start_ns, end_ns)
            if self._hits_control_plane(window)
        ]

    def _windows(self, start_ns: int, end_ns: int) -> list[FaultWindow]:
        return [
            window
            for window in self.windows
            if window.requested_ns <= end_ns
            and start_ns <= min(window.end_ns, FOREVER_NS - _SETTLE_NS) + _SETTLE_NS
        ]

    def _hits_control_plane(self, window: FaultWindow) -> bool:
        """Whether it may: it hit neither a pod nor a node that is a worker only."""
        target = name_of(window.target)
        if target in self.nodes:
            labels = self.nodes[target][-1].object["metadata"].get("labels") or {}
            return _CONTROL_PLANE in labels
        return target not in self.pods

    def _was_not_ready(self, node: str, start_ns: int, end_ns: int) -> bool:
        states = self.nodes.get(node, [])
        before = [event for event in states if event.time_ns <= start_ns][-1:]
        during = [event for event in states if start_ns < event.time_ns <= end_ns]
        return any(e.change == "DELETED" or not is_ready(e.object) for e in (*before, *during))


def _step_spans(history: History, names: Iterable[str], target: str) -> list[Span]:
    """From the beginning of each such step until its effect was surely seen."""
    return [
        (step.started_ns, FOREVER_NS if step.done_ns is None else step.done_ns + SLACK_NS)
        for name in names
        for step in steps(history, name, target)
    ]
