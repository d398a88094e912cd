"""One process per identity: a StatefulSet's member never runs twice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span, length_ns, shared, without
from chaoskit.guarantees.objects.processes import (
    LONGEST_SCAN_GAP_NS,
    Process,
    Processes,
    last_scan_ns,
    overlaps,
    processes_of,
    scan_doubts,
)
from chaoskit.guarantees.objects.watched import (
    Subject,
    condition,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import ContainerScan, Watched
from chaoskit.history.reader import History

#: On a healthy node a forcibly deleted pod gets TERM, and KILL after its grace; two seconds more
#: are what the kubelet may need.
_KILL_SLACK_S = 2.0

#: The reason in a pod's condition DisruptionTarget when the garbage collector takes it.
_COLLECTED = "DeletionByPodGC"

#: Each node reports its scans once a second, and no two at the same moment: the very beginning
#: and end of the scanned time are not held against one of them.
_SCAN_REPORT_NS = 2_500_000_000


@dataclass(frozen=True, kw_only=True)
class ForcedDeletionOverlap:
    """After a forced deletion two processes of one name may live side by side for a while.

    So they may after pod garbage collection, which deletes by force what was on a deleted node.
    On a node under a fault: until that fault is healed and `plus_s` more. On any other node:
    for the pod's grace and two seconds.
    """

    until: Literal["healed"] = "healed"
    plus_s: float = 45.0


@dataclass(frozen=True, kw_only=True)
class OneProcessPerIdentity:
    """At no instant do two processes bear the name of one StatefulSet member.

    Claims: processes of pods with one name and different uids never live at the same time, as
    read from the nodes (not from the API, which cannot show it) and from the answers they gave;
    except, with `allowing`, for a bounded time after a forced deletion. After that exactly one.
    Violated when: two surely lived at the same time outside what is allowed.
    Unknown when: a node of a member was not scanned for over 1 s, a pod's containers were never
    seen, the record ends while two may still live within what is allowed, or parts are missing.
    Overlaps shorter than the time between two scans are bounded by it, not excluded.
    """

    stateful_set: str
    allowing: ForcedDeletionOverlap | None = None

    name: ClassVar[str] = "one_process_per_identity"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"one process per identity of {self.stateful_set}")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        names = {event.uid: event.name for event in owned.pods}
        require_watched(found, history, owned.uids, ["Pod"])
        processes = processes_of(history, names)
        self._cover(found, history, owned.pods, processes)
        possible_ns = certain_ns = 0
        for pod in sorted(set(names.values())):
            allowed = self._allowed(history, pod, owned.pods)
            by_uid = processes.of(pod)
            _judge_answers(found, history, pod, set(names), allowed)
            for one, other in combinations(sorted(by_uid), 2):
                pair = by_uid[one], by_uid[other]
                certain_ns += _judge_pair(found, pod, pair, allowed)
                possible_ns += length_ns(overlaps(*_spans(pair, certain=False)))
        found.figures |= {
            "duplicate_at_least_s": certain_ns / 1e9,
            "duplicate_at_most_s": possible_ns / 1e9,
        }
        found.summary = (
            f"{len(processes.found)} processes of {len(set(names.values()))} members;"
            f" two at once for {certain_ns / 1e9:.2f} to {possible_ns / 1e9:.2f} s"
        )
        return conclude(self, found)

    def _cover(
        self, found: Findings, history: History, pods: Sequence[Watched], seen: Processes
    ) -> None:
        replaced = sum(len(seen.of(pod)) > 1 for pod in {event.name for event in pods})
        found.coverage |= {
            "processes seen on nodes": len(seen.found),
            "members with more than one uid": replaced,
        }
        if not seen.found:
            found.doubt(f"no process of {self.stateful_set} was seen on any node")
            return
        ran = {
            event.uid
            for event in pods
            if (event.object.get("status") or {}).get("phase") == "Running"
        }
        for uid in sorted(seen.uids_without_container & ran):
            found.doubt(f"no container of running pod {uid} was seen on its node")
        scans = history.of(ContainerScan)
        start_ns = min((scan.since_ns for scan in scans), default=0) + _SCAN_REPORT_NS
        end_ns = max(last_scan_ns(history).values(), default=0) - _SCAN_REPORT_NS
        nodes = {process.node for process in seen.found} | {
            node for event in pods if (node := event.object["spec"].get("nodeName"))
        }
        found.doubt(*scan_doubts(history, nodes, start_ns, end_ns))

    def _allowed(self, history: History, pod: str, pods: Sequence[Watched]) -> list[Span]:
        if self.allowing is None:
            return []
        windows = fault_windows(history)
        spans = []
        for started_ns, done_ns, spec in _forced(history, pod, pods):
            grace_s = spec.get("terminationGracePeriodSeconds", 30) + _KILL_SLACK_S
            until_ns = done_ns + int(grace_s * 1e9)
            for window in windows:
                on_node = name_of(window.target) == spec.get("nodeName")
                if on_node and window.contains(started_ns):
                    plus_ns = int(self.allowing.plus_s * 1e9)
                    until_ns = max(until_ns, min(window.end_ns, FOREVER_NS - plus_ns) + plus_ns)
            spans.append((started_ns, until_ns))
        return spans


def _forced(
    history: History, pod: str, pods: Sequence[Watched]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Each forced deletion of that name: when it began and was done, and the spec of what it hit.

    By a step, or by the garbage collector that finds a pod's node gone: it asks nobody, either.
    """
    of_name = [event for event in pods if event.name == pod]
    for step in steps(history, "delete", pod):
        if step.force:
            before = [event for event in of_name if event.time_ns <= step.started_ns]
            spec = before[-1].object["spec"] if before else {}
            yield step.started_ns, step.done_ns or step.started_ns, spec
    collected: dict[str, Watched] = {}
    for event in of_name:
        if condition(event.object, "DisruptionTarget").get("reason") == _COLLECTED:
            collected.setdefault(event.uid, event)
    for event in collected.values():
        yield event.time_ns, event.time_ns, event.object["spec"]


def one_process_per_identity(
    stateful_set: Subject, *, allowing: ForcedDeletionOverlap | None = None
) -> OneProcessPerIdentity:
    """No member runs twice at any instant; see `OneProcessPerIdentity`."""
    return OneProcessPerIdentity(stateful_set=name_of(stateful_set), allowing=allowing)


def forced_deletion_overlap(
    *, until: Literal["healed"] = "healed", plus_s: float = 45.0
) -> ForcedDeletionOverlap:
    """What one_process_per_identity allows after a forced deletion; see the class."""
    return ForcedDeletionOverlap(until=until, plus_s=plus_s)


def _spans(
    pair: tuple[list[Process], list[Process]], *, certain: bool
) -> tuple[list[Span], list[Span]]:
    first, second = (
        [process.certain if certain else process.possible for process in processes]
        for processes in pair
    )
    return first, second


def _judge_pair(
    found: Findings,
    pod: str,
    pair: tuple[list[Process], list[Process]],
    allowed: list[Span],
) -> int:
    """Judge two uids of one name; returns for how long both surely lived."""
    both = overlaps(*_spans(pair, certain=True))
    nodes = " and ".join(f"{uid.pod_uid} on {uid.node}" for uid in (pair[0][0], pair[1][0]))
    for start, end in without(both, allowed):
        seconds = (end - start) / 1e9
        text = f"two processes of {pod} for {seconds:.2f} s: {nodes}"
        if all(process.named for process in (*pair[0], *pair[1])):
            uids = pair[0][0].pod_uid, pair[1][0].pod_uid
            found.violate(start, text, pod, *uids, weight=seconds)
        else:
            found.doubt(f"{text} (one never named by its pod's status: may be its sandbox)")
    possible = without(overlaps(*_spans(pair, certain=False)), allowed)
    if any(end - start > 2 * LONGEST_SCAN_GAP_NS for start, end in possible):
        found.doubt(f"two processes of {pod} may have lived for over 2 s")
    if all(any(process.still_running for process in processes) for processes in pair):
        found.doubt(f"the record ends while two processes of {pod} still run")
    return length_ns(both)


def _judge_answers(
    found: Findings, history: History, pod: str, uids: Iterable[str], allowed: list[Span]
) -> None:
    """Two uids that both answered as one pod, each before and after the other, lived at once."""
    sent, end = integers(history, "sent_ns"), integers(history, "end_ns")
    name, uid = text_column(history, "pod"), text_column(history, "pod_uid")
    answered = name.is_like(pod) & (uid.codes >= 0) & (sent >= 0) & (end >= 0)
    alive: dict[str, Span] = {}
    for code in np.unique(uid.codes[answered]):
        rows = answered & (uid.codes == code)
        # It lived at some moment between sending and end: surely from the first end to the last
        # sending.
        span = int(end[rows].min()), int(sent[rows].max())
        if uid.values[code] in uids and span[0] < span[1]:
            alive[uid.values[code]] = span
    for one, other in combinations(sorted(alive), 2):
        for start, stop in without(shared([alive[one]], [alive[other]]), allowed):
            seconds = (stop - start) / 1e9
            text = f"two processes of {pod} answered for {seconds:.2f} s: {one} and {other}"
            found.violate(start, text, pod, one, other, weight=seconds)
