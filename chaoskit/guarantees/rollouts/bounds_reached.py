"""A rolling update goes as far as its bounds allow: only so is their rounding seen."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import Subject, name_of
from chaoskit.guarantees.rollouts.rollout import RolloutBounds
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RolloutReaches:
    """A rolling update uses its bounds in full, and no more.

    A bound that is kept may have been rounded the wrong way. Claims: the highest number of pods
    of the Deployment in a rollout is `pods`, and the lowest number of available ones that it left
    when it took one away is `available`, both counted as by `rollout_bounds`.
    Violated when: one of them is another number.
    Unknown when: `rollout_bounds` is, or the Deployment took no available pod away.
    """

    deployment: str
    pods: int
    available: int

    name: ClassVar[str] = "rollout_reaches"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"rollout of {self.deployment} reaches {self.pods} pods, {self.available} available"
        found = Findings(title=title)
        bounds = RolloutBounds(deployment=self.deployment).check(history)
        found.coverage |= bounds.coverage
        if bounds.outcome is Outcome.UNKNOWN:
            found.doubt(bounds.summary)
            return conclude(self, found)
        wanted = {"highest_pods": self.pods, "lowest_available_pods": self.available}
        end_ns = history.events[-1].time_ns
        for figure, number in wanted.items():
            seen = bounds.figures.get(figure)
            if seen is None:
                found.doubt("the Deployment took no available pod away")
                continue
            found.figures[figure] = seen
            if seen != number:
                words = figure.replace("_", " ")
                text = f"{words}: {seen:g}, where {number} were to be reached"
                found.violate(end_ns, text, self.deployment, weight=abs(seen - number))
        found.summary = ", ".join(
            f"{figure.replace('_', ' ')} {value:g}" for figure, value in found.figures.items()
        )
        return conclude(self, found)


def rollout_reaches(deployment: Subject, *, pods: int, available: int) -> RolloutReaches:
    """The most pods and the fewest available ones of a rollout; see `RolloutReaches`."""
    return RolloutReaches(deployment=name_of(deployment), pods=pods, available=available)
