"""What Kubernetes does about a lost node, and that all is well again afterwards."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    is_finished,
    is_leaving,
    is_ready,
    kind_of,
    latest,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.pods.moments import HEALED, recovery_moments
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NodeNotReadyWithin:
    """A node that is cut off is marked not ready in time.

    Claims: within `at_most_s` of the injection the node's condition Ready is False or Unknown,
    for each injection of `fault` on the node.
    Violated when: it is not, though the fault lasted that long.
    Unknown when: the fault was never injected there, not proved in effect throughout, healed
    before `at_most_s` had passed, or the nodes were not watched throughout.
    """

    node: str
    at_most_s: float
    fault: str

    name: ClassVar[str] = "node_not_ready_within"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"node {self.node} not ready within {self.at_most_s:g} s")
        nodes = [event for event in changes(history, "Node") if event.name == self.node]
        windows = [
            window
            for window in fault_windows(history, self.fault)
            if self.node in window.target.replace(",", " ").split()  # "agent-1 and control plane"
        ]
        found.doubt(*fault_doubts(windows, f"{self.fault} on {self.node}"))
        found.coverage["injections"] = len(windows)
        for window in windows:
            self._judge(found, history, window, nodes)
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, window: FaultWindow, nodes: list[Watched]
    ) -> None:
        if window.injected_ns is None:
            return
        end_ns = window.heal_requested_ns or history.events[-1].time_ns
        uids = {event.uid for event in nodes}
        require_watched(found, history, uids, ["Node"], start_ns=window.injected_ns, end_ns=end_ns)
        lost = next(
            (
                event.time_ns
                for event in nodes
                if window.injected_ns <= event.time_ns <= end_ns and not is_ready(event.object)
            ),
            None,
        )
        took_s = ((end_ns if lost is None else lost) - window.injected_ns) / 1e9
        if lost is not None:
            found.figures["not_ready_after_s"] = took_s
            found.summary = f"not ready after {took_s:.1f} s"
        if took_s > self.at_most_s:
            seen = "still ready" if lost is None else "not ready only"
            found.violate(
                end_ns if lost is None else lost, f"{seen} after {took_s:.1f} s", self.node
            )
        elif lost is None:
            found.doubt(f"{self.fault} lasted only {took_s:.1f} s")


@dataclass(frozen=True, kw_only=True)
class RecoversWithin:
    """A workload has all its pods Ready again in time.

    Claims: within `at_most_s` after each heal (`after="healed"`, of `fault` or of all faults) or
    each finished step of the name `after` on it or a pod of it, the workload has its desired
    number of Ready pods. A heal counts when none of these faults was in effect within that time.
    What it lacks 1 s after the moment still counts as lacking at the moment: a watch tells late.
    Violated when: it has not, though the record goes on that long.
    Unknown when: there was no such moment, the workload or its pods were not watched throughout,
    the fault was not proved in effect, or the record ends too early.
    """

    workload: str
    kind: str
    at_most_s: float
    after: str
    fault: str | None

    name: ClassVar[str] = "recovers_within"
    version: ClassVar[int] = 4

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.workload} recovers within {self.at_most_s:g} s")
        owned = owned_by(history, self.kind, self.workload)
        require_watched(found, history, owned.uids, [self.kind, "Pod"])
        if not owned.workload:
            found.doubt(f"{self.kind} {self.workload} is not in the record")
        moments = recovery_moments(
            history,
            found,
            after=self.after,
            fault=self.fault,
            targets={self.workload, *(event.name for event in owned.pods)},
            at_most_s=self.at_most_s,
        )
        found.coverage["recoveries"] = len(moments)
        if not moments:
            found.doubt(f"no moment '{self.after}' of {self.workload} is in the record")
        elif owned.workload:
            for moment_ns in moments:
                self._judge(found, history, moment_ns, [*owned.workload, *owned.pods])
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, moment_ns: int, events: list[Watched]
    ) -> None:
        limit_ns = moment_ns + int(self.at_most_s * 1e9)
        times = sorted({event.time_ns for event in events if moment_ns < event.time_ns})
        ordered = sorted(events, key=lambda event: event.resource_version)
        seen_ns = max(
            (t for t in times if t <= moment_ns + SLACK_NS and self._lacks(ordered, t)), default=0
        )
        for time_ns in (moment_ns, *times):
            if time_ns >= seen_ns and not self._lacks(ordered, time_ns):
                took_s = (time_ns - moment_ns) / 1e9
                longest_s = max(took_s, found.figures.get("recovery_s", 0.0))
                found.figures["recovery_s"] = longest_s
                found.summary = f"Ready again {longest_s:.1f} s after '{self.after}' at the latest"
                if time_ns > limit_ns:
                    text = f"{self.workload} recovered only after {took_s:.1f} s"
                    found.violate(time_ns, text, self.workload, weight=took_s)
                return
        end_ns = history.events[-1].time_ns
        ready, desired = self._ready_and_desired(ordered, end_ns)
        text = f"{self.workload} has {ready} of {desired} pods Ready"
        if end_ns >= limit_ns:
            found.violate(limit_ns, f"{text} after {self.at_most_s:g} s", self.workload)
        else:
            found.doubt(f"the record ends too early: {text}")

    def _lacks(self, ordered: list[Watched], time_ns: int) -> bool:
        ready, desired = self._ready_and_desired(ordered, time_ns)
        return ready < desired

    def _ready_and_desired(self, ordered: list[Watched], time_ns: int) -> tuple[int, int]:
        state = latest(ordered, time_ns).values()
        pods = [event.object for event in state if event.kind == "Pod"]
        ready = sum(is_ready(p) and not is_leaving(p) and not is_finished(p) for p in pods)
        workloads = [event.object for event in state if event.kind == self.kind]
        return ready, sum(_desired(obj) for obj in workloads)


@dataclass(frozen=True, kw_only=True)
class OrdinaryDeleteSticks:
    """An ordinarily deleted pod on a lost node stays Terminating until it is forced.

    Claims: after an unforced delete the pod has a deletionTimestamp and its object stays, until
    the forced delete begins or the fault is healed.
    Violated when: the object went before, or never got a deletionTimestamp.
    Unknown when: no unforced delete of the pod is on record, it was left for less than
    `at_least_s`, or the pods were not watched throughout.
    """

    pod: str
    at_least_s: float

    name: ClassVar[str] = "ordinary_delete_sticks"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"ordinary delete of {self.pod} on a lost node sticks")
        of_pod = [event for event in changes(history, "Pod") if event.name == self.pod]
        require_watched(found, history, {event.uid for event in of_pod}, ["Pod"])
        deletes = steps(history, "delete", self.pod)
        ordinary = next((step for step in deletes if not step.force), None)
        if ordinary is None:
            found.doubt(f"no ordinary delete of {self.pod} is on record")
            return conclude(self, found)
        start_ns = ordinary.started_ns
        ends = [step.started_ns for step in deletes if step.force and step.started_ns > start_ns]
        ends += [w.heal_requested_ns for w in fault_windows(history) if w.heal_requested_ns]
        end_ns = min((e for e in ends if e > start_ns), default=history.events[-1].time_ns)
        before = list(latest(of_pod, start_ns).values())
        if not before:
            found.doubt(f"pod {self.pod} was not seen before it was deleted")
            return conclude(self, found)
        stuck_s = (end_ns - start_ns) / 1e9
        found.figures["stuck_s"] = stuck_s
        found.coverage["deletes"] = 1
        found.summary = f"Terminating for {stuck_s:.1f} s"
        if stuck_s < self.at_least_s:
            found.doubt(f"it was left for only {stuck_s:.1f} s ({self.at_least_s:g} s needed)")
        self._judge(found, [e for e in of_pod if e.uid == before[-1].uid], start_ns, end_ns)
        return conclude(self, found)

    def _judge(self, found: Findings, of_uid: list[Watched], start_ns: int, end_ns: int) -> None:
        during = [event for event in of_uid if start_ns <= event.time_ns < end_ns]
        for event in during:
            if event.change == "DELETED":
                after_s = (event.time_ns - start_ns) / 1e9
                found.violate(event.time_ns, f"{self.pod} was gone after {after_s:.1f} s", self.pod)
        if not any(is_leaving(event.object) for event in during):
            found.violate(end_ns, f"{self.pod} never got a deletionTimestamp", self.pod)


def _desired(workload: Object) -> int:
    """How many pods it wants: a DaemonSet as many as nodes may have one."""
    if "replicas" in workload["spec"]:
        return int(workload["spec"]["replicas"])
    return int((workload.get("status") or {}).get("desiredNumberScheduled", 1))


def node_not_ready_within(
    node: Subject, at_most_s: float, *, fault: str = "nic_down"
) -> NodeNotReadyWithin:
    """A cut node is marked not ready in time; see `NodeNotReadyWithin`."""
    return NodeNotReadyWithin(node=name_of(node), at_most_s=at_most_s, fault=fault)


def recovers_within(
    at_most_s: float,
    workload: Subject,
    *,
    kind: str | None = None,
    after: str = HEALED,
    fault: str | None = None,
) -> RecoversWithin:
    """A workload (of its own or the given kind) is Ready again; see `RecoversWithin`."""
    return RecoversWithin(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        at_most_s=at_most_s,
        after=after,
        fault=fault,
    )


def ordinary_delete_sticks(pod: Subject, *, at_least_s: float = 3.0) -> OrdinaryDeleteSticks:
    """An ordinary delete on a lost node does not remove the pod; see `OrdinaryDeleteSticks`."""
    return OrdinaryDeleteSticks(pod=name_of(pod), at_least_s=at_least_s)
