"""rollout_reaches: the bounds of a rollout are used in full."""

import pytest

from chaoskit.guarantees import rollout_reaches
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.story import Story
from tests.corpus.verdicts import first, verdict_on


def rolled(replicas: int, surge: int | str, unavailable: int | str) -> DeploymentRun:
    run = DeploymentRun(replicas=replicas, surge=surge, unavailable=unavailable)
    run.wait_complete()
    run.set_image("app:v2")
    run.wait_complete()
    return run


@pytest.mark.parametrize(
    "replicas,surge,unavailable,pods,available",
    [
        (6, "25%", "25%", 8, 5),
        (3, "25%", "25%", 4, 3),
        (1, "25%", "25%", 2, 1),
        (3, 0, "10%", 3, 2),
    ],
)
def test_roundings_of_row_r2_hold(
    replicas: int, surge: int | str, unavailable: int | str, pods: int, available: int
) -> None:
    history = rolled(replicas, surge, unavailable).history()
    verdict = rollout_reaches("web", pods=pods, available=available).check(history)
    assert verdict.outcome is Outcome.HELD, verdict.summary


def test_bounds_rounded_the_other_way_are_kept_and_yet_not_reached() -> None:
    verdict = rollout_reaches("web", pods=8, available=5).check(rolled(6, 1, 0).history())
    assert first(verdict)[1] == "highest pods: 7, where 8 were to be reached"
    assert verdict.evidence.count == 2


def test_no_rollout_is_unknown() -> None:
    run = DeploymentRun()
    run.wait_complete()
    reaches = rollout_reaches("web", pods=4, available=3)
    assert reaches.check(run.history()).outcome is Outcome.UNKNOWN
    assert verdict_on(reaches, Story()).outcome is Outcome.UNKNOWN
