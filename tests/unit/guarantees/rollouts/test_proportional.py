"""scaled_in_proportion: what comes in mid-rollout is shared by the ReplicaSets' sizes."""

from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import scaled_in_proportion
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.examples import examples
from tests.corpus.rollouts import good_rollout
from tests.corpus.story import Story
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, scaled_in_proportion("deployment/web"), end_s=100)


def stalled(defect: str | None = None) -> DeploymentRun:
    """Ten pods, and a new version that never gets ready: 8 old pods and 5 new ones."""
    run = DeploymentRun(replicas=10, surge=3, unavailable=2, broken=("app:none",), defect=defect)
    run.wait_complete()
    run.set_image("app:none")
    run.wait(5)
    return run


def test_the_example_of_kubernetes_documentation_holds() -> None:
    run = stalled()
    run.scale(15)
    run.wait(5)
    verdict = scaled_in_proportion("web").check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "at most 13 → 18 pods: 8 → 11, 5 → 7"
    assert verdict.coverage == {"scalings in mid-rollout": 1}


def test_up_and_down_again_is_judged_twice() -> None:
    run = stalled()
    for replicas in (20, 10, 0):
        run.scale(replicas)
        run.wait(5)
    verdict = scaled_in_proportion("web").check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"scalings in mid-rollout": 3}


def test_a_set_that_gets_more_than_its_share_is_the_witness() -> None:
    run = stalled("shares_unevenly")
    run.scale(15)
    run.wait(5)
    verdict = scaled_in_proportion("web").check(run.history())
    assert run.controller.offence is not None
    assert first(verdict)[1] == ("web-v1-1 went from 8 to 9 pods, where its share of 18 is 11.1")
    assert verdict.evidence.count == 2


@examples(60, slow_to_make=True)
@given(
    seed=st.integers(0, 10_000),
    replicas=st.integers(2, 12),
    more=st.integers(0, 20),
    surge=st.sampled_from([1, 3, "25%", "100%"]),
    broken=st.booleans(),
)
def test_no_share_that_kubernetes_gives_is_accused(
    seed: int, replicas: int, more: int, surge: int | str, broken: bool
) -> None:
    run = DeploymentRun(
        seed=seed,
        replicas=replicas,
        surge=surge,
        unavailable=1,
        broken=("app:v2",) if broken else (),
    )
    run.wait_complete()
    run.set_image("app:v2")
    run.wait(0.4)
    run.scale(more)
    run.wait(20)
    verdict = scaled_in_proportion("web").check(run.history())
    assume(verdict.outcome is not Outcome.UNKNOWN)
    assert verdict.outcome is Outcome.HELD, verdict.summary


def test_scaled_at_rest_is_unknown() -> None:
    run = DeploymentRun()
    run.wait_complete()
    run.scale(5)
    run.wait_complete()
    verdict = scaled_in_proportion("web").check(run.history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert "was not scaled while several ReplicaSets were full" in verdict.summary
    assert check(Story()).outcome is Outcome.UNKNOWN


def test_a_gap_in_a_watch_is_unknown() -> None:
    story = good_rollout().gap("ReplicaSet", 41, "uid-rs-1")
    assert "has a gap" in check(story).summary


def test_an_object_without_metadata_is_an_error() -> None:
    broken = web()
    story = Story().watching("Deployment", "ReplicaSet").watched(1, "Deployment", broken, "ADDED")
    del broken["metadata"]
    with pytest.raises(RecordError, match="metadata"):
        check(story)
