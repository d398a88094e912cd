"""An autoscaler that acts in the middle of a rollout stays within its own bounds."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    in_namespace,
    name_of,
    require_watched,
    steps,
)
from chaoskit.guarantees.rollouts.deployment_state import is_complete, replicas_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

#: Steps that may change the number of pods.
_STEPS = ("scale", "edit", "apply")


@dataclass(frozen=True, kw_only=True)
class AutoscaledInMidRollout:
    """The number of pods is changed by nobody's step while a rollout is under way.

    Claims: whatever the Deployment's wanted number of pods is changed to without a step of the
    operator (`scale`, `edit`, `apply`), it is from `at_least` to `at_most`; and it is changed so
    at least once while the rollout is not complete.
    Violated when: it is changed to another number.
    Unknown when: it is not changed in the middle of a rollout, or the Deployment was not watched
    throughout.
    """

    deployment: str
    at_least: int
    at_most: int

    name: ClassVar[str] = "autoscaled_in_mid_rollout"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"{self.deployment} is scaled to {self.at_least} to {self.at_most} in mid-rollout"
        found = Findings(title=title)
        events = [
            event
            for event in in_namespace(changes(history, "Deployment"), history)
            if event.name == self.deployment
        ]
        require_watched(found, history, {event.uid for event in events}, ["Deployment"])
        asked = [
            (step.started_ns, (step.done_ns or step.started_ns) + SLACK_NS)
            for name in _STEPS
            for step in steps(history, name, self.deployment)
        ]
        told, midway = [], 0
        for before, event in pairwise(events):
            if any(start <= event.time_ns <= end for start, end in asked):
                continue
            if event.change != "MODIFIED" or _is_same(before, event):
                continue
            wanted = replicas_of(event.object)
            told.append(f"{replicas_of(before.object)} → {wanted}")
            midway += not is_complete(before.object)
            if not self.at_least <= wanted <= self.at_most:
                text = f"{wanted} pods are wanted, not {self.at_least} to {self.at_most}"
                found.violate(event.time_ns, text, self.deployment)
        found.coverage["scalings in mid-rollout"] = midway
        found.summary = ", ".join(told)
        if not midway:
            found.doubt(f"nobody but the operator scaled {self.deployment} in mid-rollout")
        return conclude(self, found)


def autoscaled_in_mid_rollout(
    deployment: Subject, *, at_least: int, at_most: int
) -> AutoscaledInMidRollout:
    """An autoscaler acts within its bounds in mid-rollout; see `AutoscaledInMidRollout`."""
    return AutoscaledInMidRollout(
        deployment=name_of(deployment), at_least=at_least, at_most=at_most
    )


def _is_same(before: Watched, after: Watched) -> bool:
    return before.uid != after.uid or replicas_of(before.object) == replicas_of(after.object)
