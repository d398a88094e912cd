"""A StatefulSet that must not go on, and what its members run in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.disturbances import Takers
from chaoskit.guarantees.objects.watched import (
    Object,
    Owned,
    Subject,
    is_leaving,
    latest,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.traffic.selection import phase_spans
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

_KINDS = ("StatefulSet", "Pod")


@dataclass(frozen=True, kw_only=True)
class Halted:
    """While a member is broken the StatefulSet goes no further, though it has more to do.

    Claims: throughout the phase, which lasts `at_least_s`, the set neither makes a pod nor takes
    one away, and at its end there is still something to do: fewer members are Ready than wanted,
    or some have not got the update. Pods that steps or faults take away are not charged.
    Violated when: it makes or takes a pod in the phase, or has nothing left to do at its end.
    Unknown when: the phase is not on record, has no end or is shorter, the set is not on record,
    or it or its pods were not watched throughout.
    """

    stateful_set: str
    phase: str
    at_least_s: float

    name: ClassVar[str] = "halted"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.stateful_set} halts in the phase {self.phase}")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, _KINDS)
        spans, doubts = phase_spans(history, self.phase)
        found.doubt(*doubts)
        if not owned.workload:
            found.doubt(f"StatefulSet {self.stateful_set} is not in the record")
        for span in spans:
            if span[1] != FOREVER_NS:
                self._judge(found, history, owned, span)
        return conclude(self, found)

    def _judge(self, found: Findings, history: History, owned: Owned, span: Span) -> None:
        start_ns, end_ns = span
        lasted_s = (end_ns - start_ns) / 1e9
        if lasted_s < self.at_least_s:
            found.doubt(f"the phase {self.phase} lasted only {lasted_s:.1f} s")
        takers = Takers.of(history, owned.pods)
        left = {
            event.uid
            for event in owned.pods
            if event.time_ns < start_ns and (event.change == "DELETED" or is_leaving(event.object))
        }
        for event in owned.pods:
            if not start_ns <= event.time_ns <= end_ns:
                continue
            if event.change == "ADDED":
                found.violate(event.time_ns, f"{event.name} was made", event.name)
            elif event.uid not in left and (event.change == "DELETED" or is_leaving(event.object)):
                left.add(event.uid)
                if not takers.took(event):
                    found.violate(event.time_ns, f"{event.name} was taken away", event.name)
        item = latest(owned.workload, end_ns)
        missing = [text for each in item.values() if (text := _to_do(each.object))]
        if not missing:
            text = f"{self.stateful_set} had nothing left to do"
            found.violate(end_ns, text, self.stateful_set)
        found.figures["halted_s"] = lasted_s
        found.summary = f"{lasted_s:.1f} s long {'; '.join(missing)}"


def halted(stateful_set: Subject, *, phase: str, at_least_s: float = 5.0) -> Halted:
    """The set goes no further throughout the phase; see `Halted`.

    Raises `UsageError` for a time that is not positive.
    """
    if at_least_s <= 0:
        raise UsageError("must be positive", subject="halted's at_least_s", seen=at_least_s)
    return Halted(stateful_set=name_of(stateful_set), phase=phase, at_least_s=at_least_s)


@dataclass(frozen=True, kw_only=True)
class MembersRun:
    """At the end of a phase, or of the record, these members run these versions.

    Claims: the pod of each ordinal then is of an image whose tag is the version named.
    Violated when: one is of another.
    Unknown when: there is no pod of that ordinal then, or it is being deleted, the phase is not on
    record or has no end, or the set or its pods were not watched throughout.
    """

    stateful_set: str
    versions: tuple[tuple[int, str], ...]
    phase: str | None = None

    name: ClassVar[str] = "members_run"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        when = "" if self.phase is None else f" at the end of the phase {self.phase}"
        wanted = ", ".join(f"{self.stateful_set}-{n} {version}" for n, version in self.versions)
        found = Findings(title=f"{wanted}{when}")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, _KINDS)
        end_ns = history.events[-1].time_ns if history.events else 0
        if self.phase is not None:
            spans, doubts = phase_spans(history, self.phase)
            found.doubt(*doubts)
            end_ns = spans[-1][1] if spans else 0
        pods = {event.name: event.object for event in latest(owned.pods, end_ns).values()}
        for ordinal, version in self.versions:
            name = f"{self.stateful_set}-{ordinal}"
            pod = pods.get(name)
            if pod is None or is_leaving(pod):
                found.doubt(f"there was no {name}{when}")
            elif (image := str(pod["spec"]["containers"][0]["image"])).rsplit(":")[-1] != version:
                found.violate(end_ns, f"{name} was of image {image}{when}", name)
        found.coverage["members"] = len(self.versions)
        return conclude(self, found)


def members_run(
    stateful_set: Subject, versions: Mapping[int, str], *, phase: str | None = None
) -> MembersRun:
    """Members (by ordinal) run these versions at the end of a phase; see `MembersRun`.

    Raises `UsageError` when none is named.
    """
    if not versions:
        raise UsageError("name no member", subject="members_run's versions")
    return MembersRun(
        stateful_set=name_of(stateful_set), versions=tuple(sorted(versions.items())), phase=phase
    )


def _to_do(stateful_set: Object) -> str:
    """What is left to do, in words; empty: nothing."""
    wanted, status = stateful_set["spec"].get("replicas", 1), stateful_set.get("status") or {}
    ready = status.get("readyReplicas", 0)
    if ready != wanted or status.get("replicas", 0) != wanted:
        return f"with {ready} of {wanted} members Ready"
    if status.get("currentRevision") != status.get("updateRevision"):
        return f"with {status.get('updatedReplicas', 0)} of {wanted} members updated"
    return ""
