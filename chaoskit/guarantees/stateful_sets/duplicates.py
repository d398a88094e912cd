"""The old process of a member that was deleted by force: how long it lives beside the new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import lost_requests
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.intervals import Span, length_ns, shared
from chaoskit.guarantees.objects.processes import Process, overlaps, processes_of
from chaoskit.guarantees.objects.watched import (
    Step,
    Subject,
    latest,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import AnsweredOnNode, Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class DuplicateEndsWithin:
    """After a forced deletion on a node that is away the old process ends soon after the heal.

    Claims: for each member that is deleted by force while `fault` holds its node, the process of
    the deleted pod is still on that node when a new pod of its name already runs, no client gets
    an answer of it from the injection until it is to be healed, and it has ended within
    `at_most_s` of the heal. That there were two is shown twice: by the processes in the nodes'
    kernels, and by answers of both, the old one's given to its own node.
    Violated when: the old process surely lives longer, or a client gets an answer of it.
    Unknown when: no member was deleted by force under the fault, the fault was not proved in
    effect, the two were not both seen, or not both heard, the record ends before the old process
    does, or parts are missing.
    Figures: how long both surely lived in all (`together_s`), at most (`together_at_most_s`), the
    part of it after the heal (`after_heal_s`), and from when to when the old one was heard among
    the new one's answers (`heard_together_s`).
    """

    stateful_set: str
    at_most_s: float
    fault: str

    name: ClassVar[str] = "duplicate_ends_within"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(
            title=f"a second process of {self.stateful_set} ends {self.at_most_s:g} s after"
            f" {self.fault}"
        )
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ["Pod"])
        windows = fault_windows(history, self.fault)
        found.doubt(*fault_doubts(windows, self.fault))
        found.coverage["forced deletions"] = 0
        for pod in sorted({event.name for event in owned.pods}):
            for step in steps(history, "delete", pod):
                if step.force:
                    self._judge(found, history, owned.pods, step, windows)
        if not found.coverage["forced deletions"]:
            found.doubt(f"no member was deleted by force under {self.fault}")
        return conclude(self, found)

    def _judge(
        self,
        found: Findings,
        history: History,
        pods: Sequence[Watched],
        step: Step,
        windows: Sequence[FaultWindow],
    ) -> None:
        pod = name_of(step.target)
        named = [event for event in pods if event.name == pod]
        before = list(latest(named, step.started_ns).values())
        node = str(before[-1].object["spec"].get("nodeName")) if before else ""
        window = next(
            (w for w in windows if name_of(w.target) == node and w.contains(step.started_ns)), None
        )
        if window is None or window.healed_ns is None or window.heal_requested_ns is None:
            return
        found.coverage["forced deletions"] += 1
        old = before[-1].uid
        seen = processes_of(history, {event.uid: event.name for event in named})
        mine = [p for p in seen.found if p.pod_uid == old and p.named]
        others = [p for p in seen.found if p.pod_uid != old and p.seen_ns > step.started_ns]
        together = overlaps([p.certain for p in mine], [p.certain for p in others])
        if not together:
            found.doubt(f"no two processes of {pod} were seen at one time")
            return
        most_ns = length_ns(overlaps([p.possible for p in mine], [p.possible for p in others]))
        after = shared(together, [(window.healed_ns, max(end for _, end in together))])
        found.figures |= {
            "together_s": length_ns(together) / 1e9,
            "together_at_most_s": most_ns / 1e9,
            "after_heal_s": length_ns(after) / 1e9,
        }
        self._judge_end(found, pod, mine, window)
        self._judge_clients(found, history, pod, old, window)
        heard = self._heard(found, history, pod, old)
        found.summary = (
            f"two processes of {pod} for {length_ns(together) / 1e9:.2f} to {most_ns / 1e9:.2f} s,"
            f" {length_ns(after) / 1e9:.2f} s of it after the heal; both heard for {heard:.1f} s"
        )

    def _judge_end(
        self, found: Findings, pod: str, mine: Sequence[Process], window: FaultWindow
    ) -> None:
        assert window.healed_ns is not None  # asked by the caller
        assert window.heal_requested_ns is not None
        last = max(mine, key=lambda process: process.last_ns)
        least_s = (last.last_ns - window.healed_ns) / 1e9
        most_s = (last.gone_ns - window.heal_requested_ns) / 1e9
        found.figures["old_ended_at_most_s"] = most_s
        if least_s > self.at_most_s:
            text = f"the old process of {pod} still lives {least_s:.1f} s after the heal"
            found.violate(last.last_ns, text, pod, last.pod_uid, last.node)
        elif last.still_running:
            found.doubt(f"the record ends while the old process of {pod} still runs")
        elif most_s > self.at_most_s:
            found.doubt(f"the old process of {pod} may have lived for {most_s:.1f} s after it")

    def _judge_clients(
        self, found: Findings, history: History, pod: str, old: str, window: FaultWindow
    ) -> None:
        """No client gets an answer of the old process while its node is away."""
        sent, end = integers(history, "sent_ns"), integers(history, "end_ns")
        injected_ns, until_ns = window.injected_ns or 0, window.heal_requested_ns or 0
        found.doubt(*lost_requests(history, injected_ns, until_ns))
        answered = text_column(history, "pod_uid").is_like(old)
        rows = np.flatnonzero(answered & (sent >= injected_ns) & (end >= 0) & (end <= until_ns))
        if len(rows):
            text = f"{len(rows)} clients got an answer of the old process of {pod}"
            found.violate(int(sent[rows[0]]), text, pod, old)

    def _heard(self, found: Findings, history: History, pod: str, old: str) -> float:
        """For how many seconds the old one's answers lie between those of the new one."""
        own = [e.time_ns for e in history.of(AnsweredOnNode) if e.pod_uid == old]
        end, name = integers(history, "end_ns"), text_column(history, "pod")
        others = name.is_like(pod) & ~text_column(history, "pod_uid").is_like(old) & (end >= 0)
        others &= integers(history, "sent_ns") > min(own, default=0)
        found.coverage |= {
            "answers of the old one to its node": len(own),
            "answers of the new one": int(np.count_nonzero(others)),
        }
        span = _common(own, end[others].tolist())
        if span is None:
            found.doubt(f"the two processes of {pod} were not both heard at one time")
            return 0.0
        found.figures["heard_together_s"] = (span[1] - span[0]) / 1e9
        return (span[1] - span[0]) / 1e9


@dataclass(frozen=True, kw_only=True)
class NameStaysTaken:
    """A member that is told to end on a node that is away keeps its name until the node is back.

    Claims: a pod of the set on `node` that is told to end while `fault` is there, by nobody's step,
    stays: until the heal its object is there, and no other pod bears its name.
    Violated when: its object goes, or another pod of its name comes before the heal.
    Unknown when: the fault was never injected there or not proved in effect, no pod of the set was
    told to end meanwhile, or was for less than `at_least_s`, a step did it, or the pods were not
    watched throughout.
    """

    stateful_set: str
    node: str
    at_least_s: float
    fault: str

    name: ClassVar[str] = "name_stays_taken"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(
            title=f"members of {self.stateful_set} on {self.node} stay, Terminating, during"
            f" {self.fault}"
        )
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ["StatefulSet", "Pod"])
        windows = [w for w in fault_windows(history, self.fault) if name_of(w.target) == self.node]
        found.doubt(*fault_doubts(windows, f"{self.fault} on {self.node}"))
        found.coverage["members that were told to end"] = 0
        for window in windows:
            until_ns = window.heal_requested_ns or history.events[-1].time_ns
            self._judge(found, history, owned.pods, (window.requested_ns, until_ns))
        if not found.coverage["members that were told to end"]:
            found.doubt(f"no member on {self.node} was told to end during {self.fault}")
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, pods: Sequence[Watched], span: Span
    ) -> None:
        start_ns, until_ns = span
        for uid, pod in latest(pods, start_ns).items():
            if pod.object["spec"].get("nodeName") != self.node:
                continue
            during = [e for e in pods if start_ns < e.time_ns < until_ns]
            told = next((e for e in during if e.uid == uid and _leaves(e)), None)
            if told is None:
                continue
            found.coverage["members that were told to end"] += 1
            if any(start_ns < s.started_ns < until_ns for s in steps(history, "delete", pod.name)):
                found.doubt(f"{pod.name} was told to end by a step")
            stayed_s = (until_ns - told.time_ns) / 1e9
            found.figures["terminating_s"] = stayed_s
            found.summary = f"{pod.name} was Terminating for {stayed_s:.1f} s"
            if stayed_s < self.at_least_s:
                found.doubt(f"only for {stayed_s:.1f} s ({self.at_least_s:g} s needed)")
            for event in during:
                if event.uid == uid and event.change == "DELETED":
                    found.violate(event.time_ns, f"{pod.name} went before the heal", pod.name, uid)
                elif event.uid != uid and event.name == pod.name:
                    text = f"another {pod.name} ({event.uid}) came before the heal"
                    found.violate(event.time_ns, text, pod.name, event.uid)


def duplicate_ends_within(
    at_most_s: float, stateful_set: Subject, *, fault: str
) -> DuplicateEndsWithin:
    """The old process ends soon after its node is back; see `DuplicateEndsWithin`."""
    return DuplicateEndsWithin(stateful_set=name_of(stateful_set), at_most_s=at_most_s, fault=fault)


def name_stays_taken(
    stateful_set: Subject, node: Subject, *, fault: str, at_least_s: float = 3.0
) -> NameStaysTaken:
    """A member told to end on a lost node keeps its name; see `NameStaysTaken`."""
    return NameStaysTaken(
        stateful_set=name_of(stateful_set),
        node=name_of(node),
        at_least_s=at_least_s,
        fault=fault,
    )


def _leaves(event: Watched) -> bool:
    return event.change == "DELETED" or "deletionTimestamp" in event.object["metadata"]


def _common(own: Sequence[int], others: Sequence[int]) -> Span | None:
    """From the old one's first answer to its last among those of the new one; None: there is none.

    What it answered before the new one was heard is not counted, nor the silence after that.
    """
    among = [time_ns for time_ns in own if others and min(others) <= time_ns <= max(others)]
    return (min(among), max(among)) if among else None
