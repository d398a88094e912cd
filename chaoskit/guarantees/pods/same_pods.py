"""Pods that outlast the absence of their node: the same ones, restarted so often and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    is_ready,
    kind_of,
    name_of,
)
from chaoskit.guarantees.pods.container_runs import restart_count, statuses_of
from chaoskit.guarantees.pods.on_nodes import Befallen, befallen
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class SamePodsComeBack:
    """After a fault on their node the same pods are Ready again.

    Claims: each pod of the workload that is bound to `node` when `fault` is requested there keeps
    its uid, is Ready within `at_most_s` of the heal, and then each of its containers was restarted
    exactly `restarts` times since; with 0 it is the same container (its id), started when it was.
    A node that was away tells late what happened on it: a restart that is told within `at_most_s`
    of the heal counts, though the pod was said to be Ready before.
    Violated when: it is deleted or told to end, is not Ready by then, or was restarted more or
    fewer times.
    Unknown when: the fault was never injected there, not proved in effect, or not healed; no pod
    was on the node; the record ends too early; or the pods were not watched throughout.
    """

    workload: str
    kind: str
    node: str
    restarts: int
    at_most_s: float
    fault: str

    name: ClassVar[str] = "same_pods_come_back"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        times = f"restarted {self.restarts} times" if self.restarts else "not restarted"
        found = Findings(
            title=f"{self.workload} on {self.node} is back {self.at_most_s:g} s after"
            f" {self.fault}, {times}"
        )
        for each in befallen(
            history,
            found,
            workload=self.workload,
            kind=self.kind,
            node=self.node,
            fault=self.fault,
        ):
            self._judge(found, each, history)
        return conclude(self, found)

    def _judge(self, found: Findings, each: Befallen, history: History) -> None:
        before, later, window, gone = each.pod, each.later, each.window, each.told_to_go
        name, healed_ns = before.name, window.healed_ns
        if gone is not None:
            after_s = (gone.time_ns - window.requested_ns) / 1e9
            text = f"{name} ({before.uid}) was told to end {after_s:.1f} s after the fault came"
            found.violate(gone.time_ns, text, name, before.uid)
            return
        if healed_ns is None:
            found.doubt(f"the record has no heal of {window.name}")
            return
        was = _runs(before.object)
        limit_ns = healed_ns + int(self.at_most_s * 1e9)
        at_heal = [e for e in (before, *later) if e.time_ns <= healed_ns][-1]
        since = [e for e in later if healed_ns < e.time_ns]
        ready: Watched | None = None
        for event in (at_heal, *since):
            if ready is not None and event.time_ns > limit_ns:
                break
            more = _more(_runs(event.object), was)
            if more > self.restarts or (not self.restarts and _runs(event.object) != was):
                text = f"{name} was restarted {more} times, not {self.restarts}"
                found.violate(event.time_ns, text, name, before.uid)
                return
            if ready is None and is_ready(event.object) and more == self.restarts:
                ready = event
        end_ns = history.events[-1].time_ns
        if ready is not None:
            took_s = max(ready.time_ns - healed_ns, 0) / 1e9
            longest_s = max(took_s, found.figures.get("ready_again_after_s", 0.0))
            found.figures["ready_again_after_s"] = longest_s
            found.summary = f"{name} is Ready again {took_s:.1f} s after the heal"
            if ready.time_ns > limit_ns:
                text = f"{name} is Ready again only after {took_s:.1f} s"
                found.violate(ready.time_ns, text, name, before.uid)
            elif not since and end_ns < limit_ns:
                # What was last told of it may be from before its node was away.
                found.doubt(f"the record ends too early: nothing was told of {name} since")
        elif end_ns >= limit_ns:
            seen = f"{_more(_runs(later[-1].object), was)} restarts" if later else "no change"
            text = f"{name} is not back after {self.at_most_s:g} s: {seen}"
            found.violate(limit_ns, text, name, before.uid)
        else:
            found.doubt(f"the record ends too early: {name} is not back")


def same_pods_come_back(
    at_most_s: float,
    workload: Subject,
    node: Subject,
    *,
    fault: str,
    restarts: int = 0,
    kind: str | None = None,
) -> SamePodsComeBack:
    """The same pods are Ready again after a fault on their node; see `SamePodsComeBack`.

    Raises `UsageError` for a negative number of restarts.
    """
    if restarts < 0:
        raise UsageError("is negative", subject="same_pods_come_back's restarts", seen=restarts)
    return SamePodsComeBack(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        node=name_of(node),
        restarts=restarts,
        at_most_s=at_most_s,
        fault=fault,
    )


def _runs(pod: Object) -> dict[str, tuple[str, int]]:
    """Of each container its id and how often it was restarted."""
    return {
        str(status["name"]): (str(status.get("containerID", "")), restart_count(status))
        for status in statuses_of(pod)
    }


def _more(now: Mapping[str, tuple[str, int]], was: Mapping[str, tuple[str, int]]) -> int:
    """How often the container that was restarted most was restarted since."""
    return max((now[name][1] - count for name, (_, count) in was.items() if name in now), default=0)
