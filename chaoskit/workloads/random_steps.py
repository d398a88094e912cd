"""Random steps on a Deployment: a plan drawn from a seed, and the taking of it."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from chaoskit.errors import Hopeless, UsageError, WaitTimeout
from chaoskit.kube.refusal import NotFound
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.specimen_manifests import image
from chaoskit.workloads.steps import StepRefused

Verb = Literal["set_image", "undo", "scale", "pause", "resume", "delete"]

_VERSIONS = ("v1", "v2", "v3")
#: How often each is drawn, where it can be. Of four pauses about three are resumed before the end.
_WEIGHTS: dict[Verb, int] = {
    "set_image": 4,
    "undo": 2,
    "scale": 3,
    "pause": 2,
    "resume": 6,
    "delete": 3,
}


@dataclass(frozen=True, kw_only=True)
class RandomStep:
    """One step of a plan.

    `argument`: the version, the number of replicas, or which pod to delete, in the order of their
    names; empty for the others. `then_s`: how long the cluster is left alone after it.
    """

    verb: Verb
    argument: str = ""
    then_s: float = 0.0

    def __str__(self) -> str:
        return " ".join(part for part in (self.verb, self.argument) if part)

    def take(self, deployment: Deployment) -> None:
        """Take it. A step that kubectl refuses is on record as failed, and nothing else happens.

        So a plan stays a plan when some of its steps are left out: a resume without its pause, an
        undo without an update.
        """
        with suppress(StepRefused):
            self._take(deployment)

    def _take(self, deployment: Deployment) -> None:
        match self.verb:
            case "set_image":
                deployment.set_image(image(self.argument))
            case "undo":
                deployment.undo()
            case "scale":
                deployment.scale(int(self.argument))
            case "pause":
                deployment.pause()
            case "resume":
                deployment.resume()
            case "delete":
                if pods := deployment.pods():
                    with suppress(NotFound):  # it may have gone by itself since it was listed
                        pods[int(self.argument) % len(pods)].delete()


def drawn(
    chance: random.Random,
    count: int,
    *,
    versions: Sequence[str] = _VERSIONS,
    replicas: tuple[int, int] = (2, 6),
    then_s: tuple[float, float] = (0.5, 3.0),
) -> tuple[RandomStep, ...]:
    """So many steps, each of which does something if those before it were taken, too.

    The Deployment is to begin with the first of `versions`. The same `chance` draws the same plan.
    Raises `UsageError` for fewer than two versions or an empty range.
    """
    if count < 0 or len(versions) < 2 or not 1 <= replicas[0] < replicas[1]:
        raise UsageError(
            "no plan can be drawn from it",
            subject="random steps",
            seen=f"count={count}, versions={versions}, replicas={replicas}",
            next_step="two versions or more, and two numbers of replicas from 1 on",
        )
    told = _Told(versions[0])
    return tuple(
        _drawn_one(chance, told, versions, replicas, round(chance.uniform(*then_s), 1))
        for _ in range(count)
    )


def settle(deployment: Deployment, timeout_s: float) -> bool:
    """Resume it where it is paused, and wait until its rollout is complete; whether it is.

    A guarantee is to judge that (`ends_complete`): this only leaves it the time.
    """
    with suppress(StepRefused):
        deployment.resume()
    try:
        deployment.wait_complete(timeout_s)
    except (WaitTimeout, Hopeless):
        return False
    return True


class _Told:
    """What the steps drawn so far make of the Deployment."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.replicas = 0
        self.paused = False
        self.rolled = [version]  # templates that have a revision, the newest last

    def possible(self) -> list[Verb]:
        """The verbs that do something now."""
        verbs: list[Verb] = ["set_image", "scale", "delete"]
        verbs.append("resume" if self.paused else "pause")
        if not self.paused and len(self.rolled) > 1:
            verbs.append("undo")
        return verbs

    def update(self, version: str) -> None:
        """It has another version, and a revision of it unless it is paused."""
        self.version = version
        self.roll()

    def roll(self) -> None:
        """What it has gets a revision, the newest."""
        if not self.paused:
            self.rolled = [each for each in self.rolled if each != self.version] + [self.version]


def _drawn_one(
    chance: random.Random,
    told: _Told,
    versions: Sequence[str],
    replicas: tuple[int, int],
    then_s: float,
) -> RandomStep:
    verbs = told.possible()
    (verb,) = chance.choices(verbs, [_WEIGHTS[each] for each in verbs])
    argument = ""
    match verb:
        case "set_image":
            argument = chance.choice([each for each in versions if each != told.version])
            told.update(argument)
        case "undo":
            told.update(told.rolled[-2])
        case "scale":
            low, high = replicas
            numbers = [each for each in range(low, high + 1) if each != told.replicas]
            told.replicas = chance.choice(numbers)
            argument = str(told.replicas)
        case "pause" | "resume":
            told.paused = verb == "pause"
            told.roll()
        case "delete":
            argument = str(chance.randrange(replicas[1]))
    return RandomStep(verb=verb, argument=argument, then_s=then_s)
