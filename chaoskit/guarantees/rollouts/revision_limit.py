"""Which old ReplicaSets of a Deployment are kept: as many as revisionHistoryLimit, the newest."""

from dataclasses import dataclass, field

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import Object, is_leaving
from chaoskit.guarantees.rollouts.deployment_state import DeploymentState, is_complete, revision_of
from chaoskit.history.events import Watched

#: A revisionHistoryLimit of this means that all are kept.
_NO_LIMIT = 2**31 - 1


@dataclass
class KeptSets:
    """Judges, change by change, which old ReplicaSets go and which are left.

    `state` is applied by the caller, between `before` and `after`. `deleted_by_steps`: names of
    ReplicaSets that the operator deletes.
    """

    found: Findings
    state: DeploymentState
    settle_ns: int
    deleted_by_steps: frozenset[str]
    due_ns: int | None = None
    generation: int | None = None
    lower_limit: tuple[int, int] = (_NO_LIMIT, 0)  # one that was given up, and when
    going: set[str] = field(default_factory=set)
    deleted: int = 0

    def before(self, event: Watched, *, judged: bool) -> None:
        """Judge what is settled by now, and a ReplicaSet that goes with this change."""
        self.settle(event.time_ns)
        deployment = self.state.deployment
        if deployment is not None and event.kind == "Deployment":
            self._note_limit(deployment, event)
        goes = event.change == "DELETED" or is_leaving(event.object)
        if event.kind == "ReplicaSet" and goes and event.uid not in self.going:
            if deployment is not None and judged and not is_leaving(deployment.object):
                self._judge_deletion(deployment, event)
            self.going.add(event.uid)

    def after(self, event: Watched) -> None:
        """See from when on all must be as it should."""
        deployment = self.state.deployment
        if event.kind != "Deployment":
            return
        if deployment is None or is_leaving(deployment.object) or not is_complete(event.object):
            self.due_ns = self.generation = None
        elif self.generation != event.object["metadata"].get("generation", 0):
            self.generation = event.object["metadata"].get("generation", 0)
            self.due_ns = event.time_ns + self.settle_ns

    def settle(self, now_ns: int) -> None:
        """Judge a complete Deployment that had its time."""
        deployment = self.state.deployment
        if self.due_ns is None or deployment is None or now_ns < self.due_ns:
            return
        at_ns, self.due_ns = self.due_ns, None
        number, limit = revision_of(deployment.object), _limit(deployment.object)
        for uid in sorted(self.state.new_sets):
            other = self.state.sets[uid]
            if revision_of(other.object) != number:
                text = (
                    f"{deployment.name} is annotated with revision {number}, its ReplicaSet"
                    f" {other.name} with {revision_of(other.object)}"
                )
                self.found.violate(at_ns, text, deployment.name, other.name)
        old = self._old()
        if len(old) > limit:
            left = [rs.name for rs in old[: len(old) - limit]]
            text = (
                f"{len(old)} old ReplicaSets are left where {limit} are kept;"
                f" to go: {', '.join(left)}"
            )
            self.found.violate(at_ns, text, *left)

    def _judge_deletion(self, deployment: Watched, event: Watched) -> None:
        old = self._old()
        if event.name in self.deleted_by_steps or event.uid not in {rs.uid for rs in old}:
            return
        self.deleted += 1
        limit, number = _limit(deployment.object), revision_of(event.object)
        given_up, changed_ns = self.lower_limit
        if event.time_ns - changed_ns < SLACK_NS:  # the controller may not have seen it yet
            limit = min(limit, given_up)
        text = f"{event.name} (revision {number}) was deleted"
        if len(old) <= limit:
            text = f"{text} though of {len(old)} old ReplicaSets {limit} are kept"
            self.found.violate(event.time_ns, text, event.name)
            return
        # The controller passes over those that are not empty yet.
        older = [rs for rs in old if revision_of(rs.object) < number and _is_empty(rs.object)]
        if older:
            text = f"{text} before {older[0].name} (revision {revision_of(older[0].object)})"
            self.found.violate(event.time_ns, text, event.name, older[0].name)

    def _note_limit(self, before: Watched, event: Watched) -> None:
        limit = _limit(before.object)
        if event.change != "DELETED" and limit < _limit(event.object):
            self.lower_limit = limit, event.time_ns

    def _old(self) -> list[Watched]:
        """The old ReplicaSets that are not being deleted, the lowest number first."""
        staying = [rs for rs in self.state.old_sets if not is_leaving(rs.object)]
        return sorted(staying, key=lambda rs: revision_of(rs.object))


def _is_empty(replica_set: Object) -> bool:
    status, generation = replica_set.get("status") or {}, replica_set["metadata"].get("generation")
    counts = replica_set["spec"].get("replicas", 1), status.get("replicas", 0)
    return counts == (0, 0) and status.get("observedGeneration", generation) == generation


def _limit(deployment: Object) -> int:
    limit = deployment["spec"].get("revisionHistoryLimit")
    return _NO_LIMIT if limit is None else int(limit)
