"""After all that was done to it, a Deployment's rollout is complete, and stays so."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Subject,
    in_namespace,
    is_leaving,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
    is_complete,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class EndsComplete:
    """Whatever was done to a Deployment: in the end its rollout is complete.

    Claims: at the end of the record the Deployment's status says that the present spec is
    observed and all pods are of its template and available, and as many pods as desired are
    there, not being deleted, none of another template; and that is so since `within_s` after the
    last step on it or one of its pods at the latest.
    Violated when: it is not so, though the record goes on that long.
    Unknown when: it is not on record, or no step on it, the record ends too early, or the
    Deployment, its ReplicaSets or pods were not watched throughout.
    """

    deployment: str
    within_s: float

    name: ClassVar[str] = "ends_complete"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"{self.deployment} is complete within {self.within_s:g} s of the last step"
        found = Findings(title=title)
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        of_it = {self.deployment, *(event.name for event in in_namespace(owned.pods, history))}
        marks = [mark for mark in history.of(StepMark) if name_of(mark.target) in of_it]
        found.coverage["steps"] = len({mark.step_id for mark in marks})
        if not owned.workload or not marks:
            lacking = "step on it" if owned.workload else "change of it"
            found.doubt(f"no {lacking} is on record: {self.deployment}")
            return conclude(self, found)
        last_ns = max(mark.time_ns for mark in marks)
        since_ns, lacking = _since(deployment_changes(history, owned))
        limit_ns = last_ns + int(self.within_s * 1e9)
        end_ns = history.events[-1].time_ns
        if lacking and end_ns < limit_ns:
            found.doubt(f"the record ends too early: {lacking}")
        elif lacking:
            text = f"not complete {self.within_s:g} s after the last step: {lacking}"
            found.violate(end_ns, text, self.deployment)
        else:
            took_s = max(0, since_ns - last_ns) / 1e9
            found.figures["complete_s"] = took_s
            found.summary = f"complete {took_s:.1f} s after the last step"
            if since_ns > limit_ns:
                text = f"complete only {took_s:.1f} s after the last step"
                found.violate(since_ns, text, self.deployment, weight=took_s)
        return conclude(self, found)


def ends_complete(deployment: Subject, *, within_s: float) -> EndsComplete:
    """In the end its rollout is complete; see `EndsComplete`."""
    return EndsComplete(deployment=name_of(deployment), within_s=within_s)


def _since(events: list[Watched]) -> tuple[int, str]:
    """Since when it is complete at the end, or what it lacks."""
    state = DeploymentState()
    since_ns, lacking = 0, "there is no Deployment"
    for event in events:
        state.apply(event)
        was_lacking, lacking = lacking, _lacking(state)
        if was_lacking and not lacking:
            since_ns = event.time_ns
    return since_ns, lacking


def _lacking(state: DeploymentState) -> str:
    """What keeps it from being complete; empty when it is."""
    if state.deployment is None:
        return "there is no Deployment"
    desired = state.deployment.object["spec"].get("replicas", 1)
    old = len(state.counted_old_pods())
    new = sum(not is_leaving(pod.object) for pod in state.pods_of(new=True))
    complete = is_complete(state.deployment.object)
    if complete and new == desired and not old:
        return ""
    status = "complete" if complete else "not complete"
    return f"{new} of {desired} pods, {old} of older templates, {status} by its status"
