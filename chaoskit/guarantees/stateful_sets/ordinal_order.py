"""The order in which a StatefulSet starts, scales and updates its members."""

from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import (
    SLACK_NS,
    Pods,
    PodState,
    wall_offset_ns,
)
from chaoskit.guarantees.objects.disturbances import Disturbances, Takers
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    is_finished,
    is_leaving,
    name_of,
    owned_by,
    owner,
    require_watched,
    watched_from,
)
from chaoskit.guarantees.stateful_sets.members import Members, Wanted, Wishes, revision_label
from chaoskit.guarantees.stateful_sets.ordinal_rules import Objection, to_creation, to_removal
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import History

_KINDS = ("StatefulSet", "ControllerRevision", "Pod")


@dataclass(frozen=True, kw_only=True)
class OrdinalsInOrder:
    """A StatefulSet starts, scales and updates its members in the order that it promises.

    Claims, under OrderedReady: a member is made only when all lower ones (from
    spec.ordinals.start on) are running, Ready, available and not leaving; scaling down takes the
    highest first, the next one only when it is completely gone, and nothing while a member that
    stays is not healthy; an update takes the highest outdated member, one at a time, when all are
    healthy. Under Parallel starting and scaling know no order; an update takes the highest
    outdated member when all above it are healthy. Where the API server keeps
    rollingUpdate.maxUnavailable, the feature is on, and an update leaves at most that many
    unavailable. Always: nothing below the partition and nothing under OnDelete is taken for an
    update, and a member is made at the revision its ordinal is due. Pods that steps, faults,
    evictions or taints took away are not charged; their successors come by the same rules.
    Source: pkg/controller/statefulset/stateful_set_control.go of Kubernetes 1.36.
    Violated when: the set makes or takes a member that neither its present state nor that of the
    last second (the controller's own view lags) allows.
    Unknown when: no start, scaling or update is on record (of a Parallel set: no update), the set,
    its revisions or its pods were not watched throughout, or the control plane was under a fault
    at the only offences.
    """

    stateful_set: str

    name: ClassVar[str] = "ordinals_in_order"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} come and go in order")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        sets = {event.uid for event in owned.workload}
        revisions = {
            event.uid
            for event in changes(history, "ControllerRevision")
            if (owner(event.object, "StatefulSet") or {}).get("uid") in sets
        }
        concerned = owned.uids | revisions
        require_watched(found, history, concerned, _KINDS)
        if not owned.workload:
            found.doubt(f"StatefulSet {self.stateful_set} is not in the record")
        if not {event.kind for event in history.of(WatchStarted)}.issuperset(_KINDS):
            return conclude(self, found)  # without one of the three nobody can be accused
        from_version = watched_from(history, *_KINDS)
        walk = _Walk(
            found=found,
            members=Members(self.stateful_set, Pods(wall_offset_ns(history))),
            takers=Takers.of(history, owned.pods),
            disturbances=Disturbances.of(history),
        )
        for event in changes(history, *_KINDS):
            if event.uid in concerned:
                walk.take(event, judged=event.resource_version > from_version)
        walk.finish()
        return conclude(self, found)


def ordinals_in_order(stateful_set: Subject) -> OrdinalsInOrder:
    """Members start, scale and update in order; see `OrdinalsInOrder`."""
    return OrdinalsInOrder(stateful_set=name_of(stateful_set))


@dataclass(kw_only=True)
class _Counts:
    started: int = 0
    replaced: int = 0
    scaled_away: int = 0
    updated: int = 0
    finished: int = 0
    taken_by_others: int = 0


@dataclass(kw_only=True)
class _Walk:
    """The set, its revisions and its pods, change by change."""

    found: Findings
    members: Members
    takers: Takers
    disturbances: Disturbances
    wishes: Wishes = field(default_factory=Wishes)
    revisions: dict[str, dict[str, int]] = field(default_factory=dict)  # by the set's uid
    last_set: Watched | None = None
    seen: set[int] = field(default_factory=set)
    counts: _Counts = field(default_factory=_Counts)
    was_ordered: bool = False
    now_ns: int = 0

    def take(self, event: Watched, *, judged: bool) -> None:
        """Judge the next change by the state before it, and apply it."""
        self.now_ns = max(self.now_ns, event.time_ns)
        if event.kind == "Pod":
            if judged and self.wishes.now is not None:
                self._judge(event, self.wishes.now)
            ordinal = self.members.ordinal(event)
            if ordinal is not None:
                self.seen.add(ordinal)
            wanted = self.wishes.now
            self.members.apply(event, self.now_ns, wanted.min_ready_s if wanted else 0)
            return
        if event.kind == "StatefulSet":
            self.last_set = None if event.change == "DELETED" else event
            self.members.set_uid = None if self.last_set is None else event.uid
            if self.last_set is None:
                self.seen.clear()
        else:
            self._take_revision(event)
        self._wish()

    def _take_revision(self, event: Watched) -> None:
        uid = str((owner(event.object, "StatefulSet") or {}).get("uid"))
        of_set = self.revisions.setdefault(uid, {})
        if event.change == "DELETED":
            of_set.pop(event.name, None)
        else:
            of_set[event.name] = int(event.object.get("revision", 0))

    def _wish(self) -> None:
        if self.last_set is None:
            self.wishes.become(None, self.now_ns)
            return
        revisions = self.revisions.get(self.last_set.uid, {})
        wanted = Wanted.of(self.last_set.object, revisions)
        self.was_ordered = self.was_ordered or not wanted.parallel
        self.wishes.become(wanted, self.now_ns)

    def _judge(self, event: Watched, newest: Wanted) -> None:
        before = self.members.pods.by_uid.get(event.uid)
        ordinal = self.members.ordinal(event)
        if ordinal is None:
            return
        if before is None:
            if event.change == "ADDED":
                self._judge_creation(event, ordinal)
            return
        left = event.change == "DELETED" or is_leaving(event.object)
        if not left or is_leaving(before.last.object):
            return
        if self.takers.took(event):
            self.counts.taken_by_others += 1
        else:
            self._judge_removal(event, before, ordinal, newest)

    def _judge_creation(self, event: Watched, ordinal: int) -> None:
        if ordinal in self.seen:
            self.counts.replaced += 1
        else:
            self.counts.started += 1
        label = revision_label(event.object)
        self._charge(
            event,
            [
                to_creation(wanted, self.members, ordinal, label, self.now_ns)
                for wanted in self.wishes.recent(self.now_ns)
            ],
        )

    def _judge_removal(
        self, event: Watched, before: PodState, ordinal: int, newest: Wanted
    ) -> None:
        if newest.leaving:
            return
        if ordinal not in newest.ordinals:
            self.counts.scaled_away += 1
        elif is_finished(before.last.object):
            self.counts.finished += 1
        else:
            self.counts.updated += 1
        self._charge(
            event,
            [
                to_removal(wanted, self.members, ordinal, self.now_ns)
                for wanted in self.wishes.recent(self.now_ns)
            ],
        )
        self.members.take(event.uid, ordinal)

    def _charge(self, event: Watched, objections: list[Objection | None]) -> None:
        """Accuse if no recent wish of the set allows it; the newest one says why."""
        if any(objection is None for objection in objections):
            return
        objection = objections[0]
        assert objection is not None  # none of them is
        excuses = self.disturbances.of_control_plane(event.time_ns - SLACK_NS, event.time_ns)
        if excuses:
            self.found.doubt(f"{objection.text}, while {excuses[0]}")
        else:
            self.found.violate(event.time_ns, objection.text, event.name, *objection.others)

    def finish(self) -> None:
        """Write what was seen; doubt where nothing was."""
        counts = self.counts
        self.found.coverage |= {
            "members started": counts.started,
            "members replaced": counts.replaced,
            "members scaled away": counts.scaled_away,
            "members updated": counts.updated,
            "finished members removed": counts.finished,
            "members taken by steps or faults": counts.taken_by_others,
        }
        in_order = self.was_ordered and (counts.started or counts.scaled_away)
        if not counts.updated and not in_order:
            what = "start, scaling or update" if self.was_ordered else "update (it is Parallel)"
            self.found.doubt(f"no {what} of {self.members.stateful_set} is on record")
        self.found.summary = (
            f"{counts.started} started, {counts.replaced} replaced,"
            f" {counts.scaled_away} scaled away, {counts.updated} updated in order"
        )
