"""A bad version that starts, fails and is held by its first pods."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_leaving,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
    is_complete,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RolloutBlocked:
    """A bad version that becomes Ready, and then fails, gets no further than its first pods.

    Claims: from the step `step` on (each finished one) to the next `undo`, or the end of the
    record, the Deployment makes at most `pods` pods of the new template, its ReplicaSets never
    ask for fewer pods of older templates than at the step less `taken`, and the rollout is not
    complete. `rollout_stalled` says it of a version that cannot even start.
    Violated when: one is not so.
    Unknown when: the step is not on record, made no pod, or lasted less than `at_least_s`; or the
    Deployment, its ReplicaSets or pods were not watched throughout.
    """

    deployment: str
    step: str
    undo: str
    pods: int
    taken: int
    at_least_s: float

    name: ClassVar[str] = "rollout_blocked"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"the bad rollout of {self.deployment} is blocked by {self.pods} pod(s)"
        found = Findings(title=title)
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        bad = [step for step in steps(history, self.step, self.deployment) if step.done_ns]
        undos = steps(history, self.undo, self.deployment)
        end_ns = history.events[-1].time_ns if history.events else 0
        events = deployment_changes(history, owned)
        for step in bad:
            ends = [each.started_ns for each in undos if each.started_ns > step.started_ns]
            until_ns = min(ends, default=end_ns)
            walk = _Walk(self, found, step.started_ns, until_ns)
            for event in events:
                walk.take(event)
            lasted_s = (until_ns - step.started_ns) / 1e9
            found.figures["blocked_s"] = lasted_s
            found.coverage["new pods"] = found.coverage.get("new pods", 0) + len(walk.made)
            found.summary = f"{len(walk.made)} new pod(s) in {lasted_s:.1f} s"
            if not walk.made:
                found.doubt(f"the step {self.step} made no pod of a new template")
            if lasted_s < self.at_least_s:
                found.doubt(f"it was left for {lasted_s:.1f} s only ({self.at_least_s:g} s needed)")
        if not bad:
            found.doubt(f"no finished step {self.step} of {self.deployment} is on record")
        return conclude(self, found)


def rollout_blocked(
    deployment: Subject,
    *,
    step: str = "set_image",
    undo: str = "undo",
    pods: int = 1,
    taken: int = 0,
    at_least_s: float = 10.0,
) -> RolloutBlocked:
    """A bad version gets no further than its first pods; see `RolloutBlocked`."""
    return RolloutBlocked(
        deployment=name_of(deployment),
        step=step,
        undo=undo,
        pods=pods,
        taken=taken,
        at_least_s=at_least_s,
    )


class _Walk:
    """The Deployment from a step to its undo, change by change."""

    def __init__(self, rule: RolloutBlocked, found: Findings, since_ns: int, until_ns: int) -> None:
        self._rule = rule
        self._found = found
        self._since_ns = since_ns
        self._until_ns = until_ns
        self._state = DeploymentState()
        self._template: object = None
        self._old_pods: int | None = None
        self.made: set[str] = set()

    def take(self, event: Watched) -> None:
        """Apply the next change, and judge it if it comes between the two."""
        if event.time_ns < self._since_ns:
            self._state.apply(event)
            self._template = self._state.template
            return
        if event.time_ns >= self._until_ns:
            return
        if self._old_pods is None:
            self._old_pods = self._wanted_of_old(new_template=False)
        self._state.apply(event)
        if self._state.template == self._template:
            return
        if event.kind == "Pod":
            self._take_pod(event)
        elif event.kind == "ReplicaSet":
            self._judge_old(event)
        elif is_complete(event.object) and self.made:
            self._found.violate(event.time_ns, "the bad rollout completed", event.name)

    def _take_pod(self, event: Watched) -> None:
        of_set = self._state.set_of(event.uid)
        if of_set is None or not self._state.is_new(of_set) or is_leaving(event.object):
            return
        if event.uid in self.made:
            return
        self.made.add(event.uid)
        if len(self.made) > self._rule.pods:
            text = f"{event.name} is pod {len(self.made)} of the bad version"
            self._found.violate(event.time_ns, text, event.name)

    def _judge_old(self, event: Watched) -> None:
        left = self._wanted_of_old(new_template=True)
        if self._old_pods is not None and left < self._old_pods - self._rule.taken:
            text = f"{event.name} leaves {left} old pods of {self._old_pods}"
            self._found.violate(event.time_ns, text, event.name, weight=self._old_pods - left)

    def _wanted_of_old(self, *, new_template: bool) -> int:
        """How many pods its ReplicaSets ask for (of older templates, once there is a new one)."""
        sets = self._state.old_sets if new_template else list(self._state.sets.values())
        return sum(
            int(each.object["spec"].get("replicas", 0))
            for each in sets
            if self._state.is_of(each.uid)
        )
