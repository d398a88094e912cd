"""Pods of a node that is away are made anew elsewhere, and once it is back none is too many."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow
from chaoskit.guarantees.objects.processes import processes_of, scan_doubts
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_finished,
    is_leaving,
    is_ready,
    kind_of,
    latest,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.pods.moments import HEALED, recovery_moments
from chaoskit.guarantees.pods.on_nodes import desired_pods, lasted_until_ns, windows_on
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

#: Each node reports its scans once a second: its last moments are not held against it.
_SCAN_REPORT_NS = 2_500_000_000


@dataclass(frozen=True, kw_only=True)
class MovesOffWithin:
    """A workload has all its pods Ready on other nodes while one is away.

    Claims: within `at_most_s` of each injection of `fault` on `node`, and before it is healed, the
    workload has its desired number of Ready pods without counting those on that node.
    Violated when: it has not, though the fault lasted that long.
    Unknown when: the fault was never injected there, not proved in effect, or healed sooner; the
    workload is not on record; or it or its pods were not watched throughout.
    """

    workload: str
    kind: str
    node: str
    at_most_s: float
    fault: str

    name: ClassVar[str] = "moves_off_within"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(
            title=f"{self.workload} runs without {self.node} {self.at_most_s:g} s"
            f" after {self.fault}"
        )
        owned = owned_by(history, self.kind, self.workload)
        require_watched(found, history, owned.uids, [self.kind, "Pod"])
        if not owned.workload:
            found.doubt(f"{self.kind} {self.workload} is not in the record")
        events = sorted([*owned.workload, *owned.pods], key=lambda e: e.resource_version)
        for window in windows_on(history, found, self.fault, self.node):
            if window.injected_ns is not None and owned.workload:
                self._judge(found, history, window, events)
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, window: FaultWindow, events: list[Watched]
    ) -> None:
        assert window.injected_ns is not None  # asked by the caller
        until_ns = lasted_until_ns(history, window)
        times = [window.injected_ns]
        times += sorted({e.time_ns for e in events if window.injected_ns < e.time_ns <= until_ns})
        moved_ns = next((t for t in times if self._elsewhere(events, t)), None)
        took_s = ((until_ns if moved_ns is None else moved_ns) - window.injected_ns) / 1e9
        if moved_ns is not None:
            found.figures["moved_after_s"] = took_s
            found.summary = f"all pods Ready elsewhere {took_s:.1f} s after {self.fault}"
        if took_s > self.at_most_s:
            text = f"all pods are Ready on other nodes only after {took_s:.1f} s"
            if moved_ns is None:
                text = f"after {took_s:.1f} s not all pods are Ready on other nodes"
            found.violate(moved_ns or until_ns, text, self.workload, self.node)
        elif moved_ns is None:
            found.doubt(f"{self.fault} lasted only {took_s:.1f} s")

    def _elsewhere(self, events: list[Watched], time_ns: int) -> bool:
        state = latest(events, time_ns).values()
        ready = sum(
            is_ready(e.object)
            and not is_leaving(e.object)
            and not is_finished(e.object)
            and e.object["spec"].get("nodeName") != self.node
            for e in state
            if e.kind == "Pod"
        )
        wanted = desired_pods([e.object for e in state if e.kind == self.kind])
        return bool(ready >= wanted)


@dataclass(frozen=True, kw_only=True)
class NoSurplusAfter:
    """After a heal a workload has no pod, and no process, more than it wants.

    Claims: from some moment within `at_most_s` of each heal of `fault` to the end of the record the
    workload has no more pods than desired, those that are being deleted counted, and no process of
    a pod of it that is gone lives on any node.
    Violated when: it has more after that time, or such a process surely lives.
    Unknown when: there was no such heal (or the next injection came within that time), the fault
    was not proved in effect, no process of it was seen, a node was not scanned, the record ends
    before that time while there are too many, or the workload or its pods were not watched
    throughout.
    """

    workload: str
    kind: str
    at_most_s: float
    fault: str

    name: ClassVar[str] = "no_surplus_after"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(
            title=f"no pod of {self.workload} too many {self.at_most_s:g} s after {self.fault}"
        )
        owned = owned_by(history, self.kind, self.workload)
        require_watched(found, history, owned.uids, [self.kind, "Pod"])
        if not owned.workload:
            found.doubt(f"{self.kind} {self.workload} is not in the record")
        moments = recovery_moments(
            history,
            found,
            after=HEALED,
            fault=self.fault,
            targets=(),
            at_most_s=self.at_most_s,
        )
        found.coverage["heals"] = len(moments)
        if not moments:
            found.doubt(f"no heal of {self.fault} is in the record")
        end_ns = history.events[-1].time_ns if history.events else 0
        for moment_ns in moments:
            span = _Judged(moment_ns, moment_ns + int(self.at_most_s * 1e9), end_ns)
            settled_ns = max(
                self._judge_pods(found, [*owned.workload, *owned.pods], span),
                self._judge_processes(found, history, owned.pods, span),
            )
            settled_s = (settled_ns - moment_ns) / 1e9
            found.figures["settled_after_s"] = settled_s
            found.summary = found.summary or f"as many as wanted {settled_s:.1f} s after it"
        return conclude(self, found)

    def _judge_pods(self, found: Findings, events: list[Watched], span: "_Judged") -> int:
        """When there was none too many any more; the heal itself if there never was."""
        ordered = sorted(events, key=lambda event: event.resource_version)
        settled_ns = span.healed_ns
        changed = {e.time_ns for e in events if e.time_ns > span.healed_ns}
        times = sorted({span.healed_ns, min(span.limit_ns, span.end_ns), *changed})
        for time_ns, next_ns in pairwise([*times, span.end_ns]):
            state = latest(ordered, time_ns).values()
            mine = [e for e in state if e.kind == "Pod" and not is_finished(e.object)]
            wanted = desired_pods([e.object for e in state if e.kind == self.kind])
            if len(mine) <= wanted:
                continue
            settled_ns = next_ns
            text = f"{self.workload} has {len(mine)} pods where it wants {wanted}"
            if time_ns >= span.limit_ns:
                found.violate(time_ns, text, *(event.name for event in mine))
        if settled_ns == span.end_ns and span.end_ns < span.limit_ns:
            found.doubt(f"the record ends too early: {text}")
        return settled_ns

    def _judge_processes(
        self, found: Findings, history: History, pods: Sequence[Watched], span: "_Judged"
    ) -> int:
        """When no process of a pod that is gone lived any more; the heal if none did after it."""
        seen = processes_of(history, {event.uid: event.name for event in pods})
        found.coverage["processes seen on nodes"] = len(seen.found)
        if not seen.found:
            found.doubt(f"no process of {self.workload} was seen on any node")
        nodes = {process.node for process in seen.found}
        until_ns = min(span.limit_ns, span.end_ns - _SCAN_REPORT_NS)
        found.doubt(*scan_doubts(history, nodes, span.healed_ns, until_ns))
        gone_ns = {e.uid: e.time_ns for e in pods if e.change == "DELETED"}
        strays = [p for p in seen.found if gone_ns.get(p.pod_uid, p.last_ns) < p.last_ns]
        for process in strays:
            text = f"{process.pod} still runs on {process.node}, though its pod is gone"
            if process.last_ns > span.limit_ns:
                found.violate(span.limit_ns, text, process.pod, process.pod_uid)
            elif process.still_running:
                found.doubt(f"the record ends too early: {text}")
        return max([span.healed_ns, *(process.last_ns for process in strays)])


@dataclass(frozen=True)
class _Judged:
    """From a heal to the end of the record; what is too many at `limit_ns` is accused."""

    healed_ns: int
    limit_ns: int
    end_ns: int


def moves_off_within(
    at_most_s: float, workload: Subject, node: Subject, *, fault: str, kind: str | None = None
) -> MovesOffWithin:
    """All pods are Ready on other nodes in time; see `MovesOffWithin`."""
    return MovesOffWithin(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        node=name_of(node),
        at_most_s=at_most_s,
        fault=fault,
    )


def no_surplus_after(
    at_most_s: float, workload: Subject, *, fault: str, kind: str | None = None
) -> NoSurplusAfter:
    """No pod and no process too many once a fault is healed; see `NoSurplusAfter`."""
    return NoSurplusAfter(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        at_most_s=at_most_s,
        fault=fault,
    )
