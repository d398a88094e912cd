"""A Deployment's bounds: never too many pods, never too few available ones."""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import (
    SLACK_NS,
    Pods,
    has_left,
    wall_offset_ns,
)
from chaoskit.guarantees.objects.bounds import Bound, resolved
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    name_of,
    owned_by,
    owner,
    require_watched,
    steps,
    watched_from,
)
from chaoskit.guarantees.rollouts.deployment_state import is_complete, replicas_of, sized_for
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RolloutBounds:
    """A rolling update keeps its bounds at every instant.

    Claims: after every single change, in resourceVersion order, there are at most desired +
    maxSurge pods (not being deleted, not finished). The Deployment sizes its ReplicaSets so; each
    follows in its own time: a pod that its set has yet to delete, to come to its size, counts only
    when it is still there 1 s later. And the Deployment never takes a pod away
    that leaves fewer than desired - maxUnavailable available. Percentages: surge rounds up,
    unavailable rounds down; both 0 means 1 unavailable. After creation or scaling the wider of
    the old and the new bound applies until the rollout is complete. Availability is counted as
    the controller does, with 1 s slack. The lowest number reported is the lowest that the
    Deployment left when it took an available pod away; pods that get unready by themselves, or
    that a step deletes, are counted apart and not charged. So are pods that go because the
    Deployment was scaled down in the middle of a rollout: Kubernetes shares the difference by the
    ReplicaSets' sizes, whatever of them is available, and for a moment (1 s) goes on from numbers
    of available pods that are not so any more.
    Violated when: one change breaks a bound.
    Unknown when: no rollout is on record (pods of fewer than two revisions), the Deployment or
    its pods were not watched throughout, or its strategy is Recreate.
    """

    deployment: str
    max_surge: Bound | None = None
    max_unavailable: Bound | None = None

    name: ClassVar[str] = "rollout_bounds"
    version: ClassVar[int] = 4

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"rollout of {self.deployment} keeps its bounds")
        owned = owned_by(history, "Deployment", self.deployment)
        kinds = ("Deployment", "ReplicaSet", "Pod")
        require_watched(found, history, owned.uids, kinds)
        deleted = {
            event.name
            for event in owned.pods
            for name in ("delete", "evict", "drain")
            if steps(history, name, event.name)
        }
        walk = _Walk(self, found, Pods(wall_offset_ns(history)), deleted)
        from_version = watched_from(history, *kinds)
        for event in changes(history, *kinds):
            if event.uid in owned.uids:
                walk.take(event, judged=event.resource_version > from_version)
        revisions = {owned.replica_set_of(event) for event in owned.pods}
        found.coverage["pod changes judged"] = walk.judged
        found.coverage["revisions with pods"] = len(revisions)
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif len(revisions) < 2:
            found.doubt("no rollout is on record (pods of fewer than two revisions)")
        walk.finish(history.events[-1].time_ns if history.events else 0)
        return conclude(self, found)


def rollout_bounds(
    deployment: Subject,
    *,
    max_surge: Bound | None = None,
    max_unavailable: Bound | None = None,
) -> RolloutBounds:
    """A rolling update keeps its bounds; those not given are read from the Deployment itself."""
    return RolloutBounds(
        deployment=name_of(deployment), max_surge=max_surge, max_unavailable=max_unavailable
    )


@dataclass
class _Walk:
    """The Deployment and its pods, change by change."""

    rule: RolloutBounds
    found: Findings
    pods: Pods
    deleted_by_steps: set[str]
    most_pods: int | None = None
    fewest_available: int | None = None
    min_ready_s: float = 0.0
    judged: int = 0
    now_ns: int = 0
    highest: int = 0
    highest_seen: int = 0
    sets: dict[str, Object] = field(default_factory=dict)  # ReplicaSets as they are to be
    scaled_away: Counter[str] = field(default_factory=Counter)  # pods yet to go, by ReplicaSet
    scaled_ns: int = -SLACK_NS  # when a set was last sized for another number of pods
    excess: tuple[Watched, int] | None = None  # the first change with pods yet to be deleted
    lowest_seen: int | None = None
    lowest: tuple[int, int] | None = None  # left by the Deployment, and how many had to be
    not_charged: set[str] = field(default_factory=set)
    of_scaling: set[str] = field(default_factory=set)
    unready: set[str] = field(default_factory=set)

    def take(self, event: Watched, *, judged: bool) -> None:
        """Apply the next change and judge the state after it."""
        self.now_ns = max(self.now_ns, event.time_ns)
        self._settle_excess(event.time_ns)
        if event.kind == "Deployment":
            self._take_deployment(event)
            return
        if event.kind == "ReplicaSet":
            self._take_set(event)
            return
        before = self.pods.by_uid.get(event.uid)
        after = None if event.change == "DELETED" else event.object
        left = has_left(before, after)
        # Who took it away decided a moment before: it may have become available since.
        was_available = before is not None and before.is_surely_available(
            self.now_ns, self.min_ready_s
        )
        was_serving = before is not None and before.is_serving()
        was_scaled_away = left and self._is_scaled_away(event)
        self.pods.apply(event)
        if not judged or self.most_pods is None or self.fewest_available is None:
            return
        self.judged += 1
        self._judge_number(event, self.most_pods)
        available = self.pods.available(self.now_ns, self.min_ready_s)
        seen = self.lowest_seen
        self.lowest_seen = available if seen is None else min(seen, available)
        # For the second of slack a pod that got unready by itself still counts as available; its
        # clean-up takes nothing away.
        if was_scaled_away:
            if was_available and was_serving and available < self.fewest_available:
                self.of_scaling.add(event.name)
        elif left and was_available and was_serving:
            self._taken_away(event, available, self.fewest_available)
        elif was_serving and not left and not self.pods.by_uid[event.uid].is_serving():
            self.unready.add(event.name)

    def _judge_number(self, event: Watched, most: int) -> None:
        """Too many pods? Those that a set is about to delete have a second to go."""
        of_set = self._counted_of_sets()
        count = of_set.total()
        wanted = sum(
            min(number, replicas_of(self.sets[uid]) if uid in self.sets else number)
            for uid, number in of_set.items()
        )
        self.highest = max(self.highest, wanted)
        self.highest_seen = max(self.highest_seen, count)
        if count <= most:
            self.excess = None
        elif wanted > most:
            self._charge(event, count, most)
        elif self.excess is None:
            self.excess = event, count

    def _counted_of_sets(self) -> Counter[str]:
        """How many pods each ReplicaSet has, without those being deleted or finished."""
        return Counter(
            _set_of(state.last) for state in self.pods.by_uid.values() if state.is_counted()
        )

    def _take_set(self, event: Watched) -> None:
        """Its new size; by how much a scaling of the Deployment made it smaller."""
        uid, before = event.uid, self.sets.get(event.uid)
        self.sets[uid] = event.object
        if before is None:
            return
        if replicas_of(before) and sized_for(before) != sized_for(event.object):
            self.scaled_ns = event.time_ns
        fewer = replicas_of(before) - replicas_of(event.object)
        if fewer > 0 and event.time_ns - self.scaled_ns <= SLACK_NS:
            self.scaled_away[uid] += fewer
        # Only as many as there are too many: a pod that goes later goes for another reason.
        too_many = max(0, self._counted_of_sets()[uid] - replicas_of(event.object))
        self.scaled_away[uid] = min(self.scaled_away[uid], too_many)

    def _is_scaled_away(self, event: Watched) -> bool:
        """Whether a pod that leaves does so because its set was scaled down."""
        uid = _set_of(event)
        if event.name in self.deleted_by_steps or not self.scaled_away[uid]:
            return False
        self.scaled_away[uid] -= 1
        return True

    def _settle_excess(self, now_ns: int) -> None:
        """Charge pods that were to be deleted and are still there."""
        if self.excess is None or self.most_pods is None:
            self.excess = None
            return
        event, count = self.excess
        if now_ns - event.time_ns > SLACK_NS:
            self.excess = None
            self._charge(event, count, self.most_pods)

    def _charge(self, event: Watched, count: int, most: int) -> None:
        self.highest = max(self.highest, count)
        text = f"{count} pods where at most {most} may be"
        self.found.violate(event.time_ns, text, event.name)

    def _taken_away(self, event: Watched, available: int, needed: int) -> None:
        """An available pod went: judge what is left, unless a step took it."""
        if event.name in self.deleted_by_steps:
            if available < needed:
                self.not_charged.add(event.name)
            return
        if self.lowest is None or (available, -needed) < (self.lowest[0], -self.lowest[1]):
            self.lowest = available, needed
        if available < needed:
            text = (
                f"{event.name} taken away, which leaves {available} available pods"
                f" where at least {needed} must be"
            )
            self.found.violate(event.time_ns, text, event.name)

    def finish(self, end_ns: int) -> None:
        """Judge what the record's end leaves, and write the figures."""
        self._settle_excess(end_ns)
        if self.most_pods is None or self.fewest_available is None:
            return
        figures = self.found.figures
        figures["highest_pods"] = self.highest
        figures["highest_pods_of_any_cause"] = self.highest_seen
        figures["pods_taken_by_steps"] = len(self.not_charged)
        figures["pods_taken_by_scaling"] = len(self.of_scaling)
        figures["pods_unready_by_themselves"] = len(self.unready)
        if self.lowest_seen is not None:
            figures["lowest_available_pods_of_any_cause"] = self.lowest_seen
        if self.lowest is None:
            fewest = "no available pod was taken away"
        else:
            figures["lowest_available_pods"] = self.lowest[0]
            fewest = "at least {} available after each it took away ({} needed)".format(
                *self.lowest
            )
        count = len(self.unready)
        alone = f"; {count} pod{'' if count == 1 else 's'} unready by themselves, not charged"
        self.found.summary = (
            f"at most {self.highest} pods, {fewest}, over {self.judged} changes"
            f"{alone if count else ''}"
        )

    def _take_deployment(self, event: Watched) -> None:
        if event.change == "DELETED":
            self.most_pods = self.fewest_available = None
            return
        spec = event.object["spec"]
        strategy = spec.get("strategy") or {}
        if strategy.get("type") == "Recreate":
            self.found.doubt("its strategy is Recreate, which has no bounds")
            self.most_pods = self.fewest_available = None
            return
        rolling = strategy.get("rollingUpdate") or {}
        desired = spec.get("replicas", 1)
        surge, unavailable = resolved(
            _first(self.rule.max_surge, rolling.get("maxSurge"), "25%"),
            _first(self.rule.max_unavailable, rolling.get("maxUnavailable"), "25%"),
            desired,
        )
        self.min_ready_s = spec.get("minReadySeconds", 0)
        most, fewest = desired + surge, max(0, desired - unavailable)
        if is_complete(event.object):
            self.most_pods, self.fewest_available = most, fewest
        elif self.most_pods is None or self.fewest_available is None:
            self.most_pods, self.fewest_available = most, 0
        else:
            self.most_pods = max(self.most_pods, most)
            self.fewest_available = min(self.fewest_available, fewest)


def _set_of(pod: Watched) -> str:
    """The uid of the ReplicaSet that controls a pod."""
    return str((owner(pod.object, "ReplicaSet") or {}).get("uid"))


def _first(*bounds: Bound | None) -> Bound:
    return next(bound for bound in bounds if bound is not None)
