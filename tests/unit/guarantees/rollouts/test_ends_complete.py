"""ends_complete: whatever was done to it, in the end the rollout is complete."""

from functools import partial

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import ends_complete
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched
from chaoskit.history.reader import History
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.rollouts import good_rollout
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, end_s=100)


def walked() -> DeploymentRun:
    """A Deployment that was paused, updated, scaled, robbed of a pod, and resumed."""
    run = DeploymentRun()
    run.wait_complete()
    run.pause()
    run.set_image("app:v2")
    run.scale(5)
    run.delete_pod(1)
    run.pause(paused=False)
    return run


def test_steps_that_end_well_hold() -> None:
    run = walked()
    run.wait_complete()
    run.wait(5)
    verdict = ends_complete("deployment/web", within_s=60).check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"steps": 5}
    assert 0 < verdict.figures["complete_s"] < 60


def test_a_pod_that_is_not_ready_yet_is_the_witness() -> None:
    run = walked()
    run.wait_complete()
    run.delete_pod(0)
    verdict = ends_complete("web", within_s=0).check(run.history())
    lacking = "5 of 5 pods, 0 of older templates, not complete by its status"
    assert first(verdict)[1] == f"not complete 0 s after the last step: {lacking}"


def test_an_old_pod_that_the_status_does_not_tell_of_is_the_witness() -> None:
    run = DeploymentRun(defect="leaves_an_old_pod")
    run.wait_complete()
    run.set_image("app:v2")
    run.wait_complete()
    run.wait(3)
    verdict = ends_complete("web", within_s=2).check(run.history())
    lacking = "3 of 3 pods, 1 of older templates, complete by its status"
    assert first(verdict)[1] == f"not complete 2 s after the last step: {lacking}"


def test_deleted_at_the_end_is_the_witness() -> None:
    story = Story().watching("Deployment", "ReplicaSet", "Pod")
    story.watched(1, "Deployment", web(), "ADDED").step("delete", "Deployment web", 2)
    story.watched(3, "Deployment", web(), "DELETED")
    verdict = check(ends_complete("web", within_s=9), story)
    text = "not complete 9 s after the last step: there is no Deployment"
    assert first(verdict) == (at(100), text, ["web"])


def test_complete_too_late_is_the_witness() -> None:
    run = walked()
    run.wait_complete()
    run.wait(5)
    verdict = ends_complete("web", within_s=0.5).check(run.history())
    _, text, objects = first(verdict)
    took_s = verdict.figures["complete_s"]
    assert text == f"complete only {took_s:.1f} s after the last step"
    assert objects == ["web"]


def test_left_paused_is_the_witness_or_unknown_when_it_was_left_too_short() -> None:
    run = DeploymentRun()
    run.wait_complete()
    run.pause()
    run.set_image("app:v2")
    run.wait(30)
    verdict = ends_complete("web", within_s=20).check(run.history())
    lacking = "0 of 3 pods, 3 of older templates, not complete by its status"
    assert first(verdict)[1] == f"not complete 20 s after the last step: {lacking}"
    verdict = ends_complete("web", within_s=60).check(run.history())
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the record ends too early" in verdict.summary


def test_unknown_without_steps_or_watches() -> None:
    run = DeploymentRun()
    run.wait_complete()
    verdict = ends_complete("web", within_s=9).check(run.history())
    assert verdict.summary.startswith("cannot tell: no step on it is on record: web")
    assert check(ends_complete("web", within_s=9)).outcome is Outcome.UNKNOWN
    unseen = Story().watching("Deployment").step("scale", "Deployment web", 1)
    verdict = check(ends_complete("web", within_s=9), unseen)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "Pods were not watched; no change of it is on record: web" in verdict.summary
    assert ends_complete("web", within_s=9).check(History.of_parts()).outcome is Outcome.UNKNOWN


def test_a_gap_in_a_watch_is_unknown() -> None:
    story = good_rollout().step("set_image", "Deployment web", 40).gap("Pod", 41, "uid-old-0")
    verdict = check(ends_complete("web", within_s=20), story)
    assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def test_an_object_without_metadata_is_an_error() -> None:
    story = Story().watching("Deployment", "ReplicaSet", "Pod")
    story.events.append(
        Watched(
            time_ns=at(1),
            kind="Deployment",
            change="ADDED",
            uid="d",
            namespace=NAMESPACE,
            name="web",
            resource_version=7,
            object={"spec": {}},
        )
    )
    with pytest.raises(RecordError, match="metadata"):
        check(ends_complete("web", within_s=9), story)
