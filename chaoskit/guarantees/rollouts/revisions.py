"""Revision numbers of a Deployment: one for each new template, none for anything else."""

from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    name_of,
    owned_by,
    require_watched,
    steps,
    watched_from,
)
from chaoskit.guarantees.rollouts.deployment_state import DeploymentState, revision_of
from chaoskit.guarantees.rollouts.revision_limit import KeptSets
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_KINDS = ("Deployment", "ReplicaSet")
_FORMER_NUMBERS = "deployment.kubernetes.io/revision-history"


@dataclass(frozen=True, kw_only=True)
class RevisionSemantics:
    """A Deployment numbers its templates, and keeps as many old ones as it should.

    Claims: a new template gets one new ReplicaSet with the highest number of all others plus 1;
    a template that a ReplicaSet has already (undo) re-uses that one, under the highest number
    plus 1, its number before joining the end of its annotation revision-history; a change that is
    not of the template (scale, pause, strategy, labels) gives no number. `settle_s` after a
    rollout is complete, or its Deployment changed after that, the Deployment bears the number of
    its ReplicaSet, and no more old ReplicaSets than revisionHistoryLimit are left; those that go
    have the lowest numbers, and none goes while there are not too many. (Kubernetes 1.36,
    getNewReplicaSet and cleanupDeployment.)
    Violated when: a number or a ReplicaSet is not so. A number that the controller puts right
    within 1 s is not charged, nor is a ReplicaSet that a step deletes.
    Unknown when: no ReplicaSet got a number on record, or the Deployment or its ReplicaSets were
    not watched throughout.
    """

    deployment: str
    settle_s: float = 5.0

    name: ClassVar[str] = "revision_semantics"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"revisions of {self.deployment} are numbered and kept")
        owned = owned_by(history, "Deployment", self.deployment)
        uids = {event.uid for event in owned.workload} | set(owned.replica_sets)
        require_watched(found, history, uids, _KINDS)
        names = {event.name for event in owned.replica_sets.values()}
        by_steps = frozenset(name for name in names if steps(history, "delete", name))
        state = DeploymentState()
        numbers = _Numbers(found, state)
        kept = KeptSets(found, state, int(self.settle_s * 1e9), by_steps)
        from_version = watched_from(history, *_KINDS)
        for event in changes(history, *_KINDS):
            if event.uid in uids:
                judged = event.resource_version > from_version
                kept.before(event, judged=judged)
                numbers.take(event, judged=judged)  # applies it to the state
                kept.after(event)
        end_ns = history.events[-1].time_ns if owned.workload else 0
        numbers.settle(end_ns)
        kept.settle(end_ns)
        found.coverage |= {"numbers given": numbers.given, "old sets deleted": kept.deleted}
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not numbers.given:
            found.doubt("no ReplicaSet got a revision number on record")
        found.figures["highest_revision"] = numbers.highest
        found.summary = f"{numbers.given} numbers given, {kept.deleted} old ReplicaSets deleted"
        return conclude(self, found)


def revision_semantics(deployment: Subject, *, settle_s: float = 5.0) -> RevisionSemantics:
    """Revisions are numbered and kept as they should be; see `RevisionSemantics`."""
    return RevisionSemantics(deployment=name_of(deployment), settle_s=settle_s)


@dataclass
class _Numbers:
    """Who gets which number, change by change.

    `unnumbered`: templates that the Deployment got since the last number was given; the next one
    is for one of them. `unsure`: by ReplicaSet, a wrong number that may yet be put right.
    """

    found: Findings
    state: DeploymentState
    unnumbered: list[Object] = field(default_factory=list)
    unsure: dict[str, Watched] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    last_given: dict[str, int] = field(default_factory=dict)
    gone: list[tuple[int, int]] = field(default_factory=list)  # when, with which number
    given: int = 0
    highest: int = 0

    def take(self, event: Watched, *, judged: bool) -> None:
        """Apply the next change and judge it."""
        self.settle(event.time_ns)
        if event.kind == "Deployment":
            self._take_deployment(event)
            return
        before = self.state.sets.get(event.uid)
        was_new = event.uid in self.state.new_sets
        self.state.apply(event)
        self.highest = max(self.highest, revision_of(event.object))
        if event.change == "DELETED":
            self.gone.append((event.time_ns, revision_of(event.object)))
            if was_new:  # it is made anew, with a number anew
                self.unnumbered.append(self.state.template_of_set(event.uid))
            return
        number = revision_of(event.object)
        is_created = before is None and event.change == "ADDED" and number > 0
        is_numbered = before is not None and revision_of(before.object) != number
        if judged and self.state.is_of(event.uid) and (is_created or is_numbered):
            self._judge(before, event)

    def settle(self, now_ns: int) -> None:
        """Accuse the wrong numbers that were not put right in time."""
        for uid, event in list(self.unsure.items()):
            if now_ns - event.time_ns > SLACK_NS:
                del self.unsure[uid]
                self.found.violate(event.time_ns, self.reasons[uid], event.name)

    def _take_deployment(self, event: Watched) -> None:
        before = self.state.template
        is_first = self.state.deployment is None
        self.state.apply(event)
        template = self.state.template
        if template is None:
            self.unnumbered = []
        elif template != before and not (is_first and _is_numbered(event.object)):
            self.unnumbered.append(template)

    def _judge(self, before: Watched | None, event: Watched) -> None:
        self.given += 1
        uid, number = event.uid, revision_of(event.object)
        former = 0 if before is None else revision_of(before.object)
        is_correction = event.time_ns - self.last_given.get(uid, -SLACK_NS) < SLACK_NS
        self.last_given[uid] = event.time_ns
        self.unsure.pop(uid, None)
        template = self.state.template_of_set(uid)
        if template in self.unnumbered:
            del self.unnumbered[: self.unnumbered.index(template) + 1]
        elif not is_correction:
            text = f"{event.name} got revision {number} though the template did not change"
            self.found.violate(event.time_ns, text, event.name)
            return
        if before is None:
            self._judge_created(event, template)
        elif number < former:
            text = f"the revision of {event.name} went back from {former} to {number}"
            self.found.violate(event.time_ns, text, event.name)
            return
        elif former:
            self._judge_former(event, former)
        self._judge_number(event, number)

    def _judge_created(self, event: Watched, template: Object) -> None:
        twins = [
            other
            for uid, other in self.state.sets.items()
            if uid != event.uid
            and self.state.is_of(uid)
            and self.state.template_of_set(uid) == template
        ]
        for twin in twins:
            text = f"{event.name} was created though {twin.name} has its template"
            self.found.violate(event.time_ns, text, event.name, twin.name)

    def _judge_former(self, event: Watched, former: int) -> None:
        kept = str(event.object["metadata"]["annotations"].get(_FORMER_NUMBERS, ""))
        if kept.rsplit(",", 1)[-1] != str(former):
            text = (
                f"{event.name} got revision {revision_of(event.object)}, but its revision-history"
                f" '{kept}' does not end with {former}, which it was before"
            )
            self.found.violate(event.time_ns, text, event.name)

    def _judge_number(self, event: Watched, number: int) -> None:
        others = [
            revision_of(other.object)
            for uid, other in self.state.sets.items()
            if uid != event.uid and self.state.is_of(uid)
        ]
        highest = max(others, default=0)
        # The controller may not have seen yet that another one went.
        lately = [each for time_ns, each in self.gone if event.time_ns - time_ns < SLACK_NS]
        if number not in (highest + 1, max([*others, *lately], default=0) + 1):
            self.unsure[event.uid] = event
            self.reasons[event.uid] = (
                f"{event.name} got revision {number}, where the highest other is {highest}"
            )


def _is_numbered(deployment: Object) -> bool:
    """Whether the controller has given its present template a number."""
    observed = (deployment.get("status") or {}).get("observedGeneration", 0)
    is_observed: bool = observed >= deployment["metadata"].get("generation", 0)
    return is_observed and revision_of(deployment) > 0
