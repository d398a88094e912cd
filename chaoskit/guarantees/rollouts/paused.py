"""A Deployment that is paused stays as it is."""

from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Step,
    Subject,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NothingRollsWhilePaused:
    """While a Deployment is paused its template may change, and nothing comes of it.

    Claims: from the end of each finished step `pause` to the beginning of the next `resume` (or
    the end of the record), with 1 s for what the controller was about: no ReplicaSet of the
    Deployment is made; none of the present template grows while older ones have pods; and no older
    one shrinks while the present one is not full; though the template was changed meanwhile. A
    paused Deployment still keeps its numbers: what it does while its replicas differ from those at
    the pause is not charged, nor that it finishes with what is full (Kubernetes 1.36, scale). Pods
    that come and go otherwise (deleted, evicted) are counted only.
    Violated when: one is.
    Unknown when: no pause has ended on record, the template did not change in any, or the
    Deployment, its ReplicaSets or pods were not watched throughout.
    """

    deployment: str

    name: ClassVar[str] = "nothing_rolls_while_paused"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"nothing of {self.deployment} rolls while it is paused")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        end_ns = history.events[-1].time_ns if history.events else 0
        resumes = steps(history, "resume", self.deployment)
        pauses = [step for step in steps(history, "pause", self.deployment) if step.done_ns]
        edits = pods = 0
        for pause in pauses:
            walk = _Walk(found, *_span(pause, resumes, end_ns))
            for event in deployment_changes(history, owned):
                walk.take(event)
            edits += walk.edits
            pods += walk.pods
        found.coverage |= {"pauses": len(pauses), "template changes while paused": edits}
        found.figures["pods_made_or_gone_while_paused"] = pods
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not pauses:
            found.doubt(f"{self.deployment} was never paused on record")
        elif not edits:
            found.doubt("its template did not change while it was paused")
        found.summary = f"{edits} changes of its template in {len(pauses)} pauses"
        return conclude(self, found)


def nothing_rolls_while_paused(deployment: Subject) -> NothingRollsWhilePaused:
    """Changes while paused are not rolled out; see `NothingRollsWhilePaused`."""
    return NothingRollsWhilePaused(deployment=name_of(deployment))


def _span(pause: Step, resumes: list[Step], end_ns: int) -> tuple[int, int]:
    since_ns = pause.done_ns or pause.started_ns
    ends = [step.started_ns for step in resumes if step.started_ns >= since_ns]
    return since_ns, min(ends, default=end_ns)


@dataclass
class _Walk:
    """One pause, change by change. `replicas`: those wanted when it began."""

    found: Findings
    since_ns: int
    until_ns: int
    edits: int = 0
    pods: int = 0
    replicas: int | None = None
    state: DeploymentState = field(default_factory=DeploymentState)

    def take(self, event: Watched) -> None:
        """Apply the next change, and judge it if it comes in the pause."""
        is_inside = self.since_ns <= event.time_ns < self.until_ns
        is_settled = is_inside and event.time_ns >= self.since_ns + SLACK_NS
        template, before = self.state.template, self.state.sets.get(event.uid)
        self.state.apply(event)
        if event.kind == "Deployment" and event.change != "DELETED":
            if not is_inside:
                self.replicas = _replicas(event)
            elif template is not None and self.state.template != template:
                self.edits += 1
        elif event.kind == "ReplicaSet" and event.change != "DELETED":
            if is_settled and self.state.is_of(event.uid):
                self._judge_set(before, event)
        elif event.kind == "Pod" and is_settled and event.change in ("ADDED", "DELETED"):
            self.pods += 1

    def _judge_set(self, before: Watched | None, event: Watched) -> None:
        if before is None:
            text = f"ReplicaSet {event.name} was made while paused"
            self.found.violate(event.time_ns, text, event.name)
            return
        wanted = 0 if self.state.deployment is None else _replicas(self.state.deployment)
        was, now = _replicas(before), _replicas(event)
        if was == now or wanted != self.replicas:
            return
        old_pods = sum(_replicas(each) for each in self.state.old_sets)
        new_pods = sum(_replicas(self.state.sets[uid]) for uid in self.state.new_sets)
        if self.state.is_new(event.uid):
            rolls = now > was and old_pods > 0
        else:
            rolls = now < was and new_pods < wanted
        if rolls:
            text = f"{event.name} went from {was} to {now} pods while paused"
            self.found.violate(event.time_ns, text, event.name)


def _replicas(event: Watched) -> int:
    return int(event.object["spec"].get("replicas", 1))
