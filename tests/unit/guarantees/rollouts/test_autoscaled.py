"""autoscaled_in_mid_rollout: within its bounds, and in the middle of a rollout."""

from functools import partial

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import autoscaled_in_mid_rollout
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.story import Story
from tests.corpus.verdicts import first, verdict_on

claimed = autoscaled_in_mid_rollout("deployment/web", at_least=3, at_most=6)
check = partial(verdict_on, claimed, end_s=100)


def rolling() -> DeploymentRun:
    """Three pods, of which the first is being replaced."""
    run = DeploymentRun()
    run.wait_complete()
    run.set_image("app:v2")
    run.wait(0.5)
    return run


def autoscale(run: DeploymentRun, replicas: int) -> None:
    """Another number of pods, without a step."""
    run.web["spec"]["replicas"] = replicas
    run.web["metadata"]["generation"] += 1
    run.cluster.write("Deployment", run.web)
    run.cluster.settle()


def test_within_its_bounds_in_mid_rollout_holds() -> None:
    run = rolling()
    autoscale(run, 6)
    run.wait_complete()
    autoscale(run, 4)
    verdict = claimed.check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "3 → 6, 6 → 4"
    assert verdict.coverage == {"scalings in mid-rollout": 1}


@pytest.mark.parametrize("replicas", [2, 7])
def test_a_number_beyond_its_bounds_is_the_witness(replicas: int) -> None:
    run = rolling()
    autoscale(run, 6)
    autoscale(run, replicas)
    _, text, objects = first(claimed.check(run.history()))
    assert (text, objects) == (f"{replicas} pods are wanted, not 3 to 6", ["web"])


def test_a_step_is_not_the_autoscalers_doing() -> None:
    run = rolling()
    run.scale(9)
    verdict = claimed.check(run.history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert "nobody but the operator scaled web in mid-rollout" in verdict.summary


def test_scaled_at_rest_only_is_unknown() -> None:
    run = rolling()
    run.wait_complete()
    autoscale(run, 6)
    assert claimed.check(run.history()).outcome is Outcome.UNKNOWN


def test_a_gap_in_the_watch_is_unknown() -> None:
    story = Story().watching("Deployment").watched(1, "Deployment", web(), "ADDED")
    story.gap("Deployment", 2, web()["metadata"]["uid"])
    assert "has a gap" in check(story).summary


def test_an_object_without_metadata_is_an_error() -> None:
    broken = web()
    story = Story().watching("Deployment").watched(1, "Deployment", broken, "ADDED")
    del broken["metadata"]
    with pytest.raises(RecordError, match="metadata"):
        check(story)
