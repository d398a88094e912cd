"""rollout_stalled, template_restored, no_needless_restart: a rollout to an absent image."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import no_needless_restart, rollout_stalled, template_restored
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import StepMark
from tests.corpus.objects import deployment, pod, replica_set
from tests.corpus.rollouts import NEW, OLD, bad_rollout, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

ALL: tuple[Guarantee, ...] = (
    rollout_stalled("web"),
    template_restored("web"),
    no_needless_restart("web"),
)


@pytest.mark.parametrize("guarantee", ALL)
def test_bad_rollout_and_undo_hold(guarantee: Guarantee) -> None:
    verdict = verdict_on(guarantee, bad_rollout())
    assert verdict.outcome is Outcome.HELD, verdict.summary


@pytest.mark.parametrize("guarantee", ALL)
def test_unknown_for_empty_stepless_and_gappy_records(guarantee: Guarantee) -> None:
    gappy = bad_rollout().gap("Pod", 20, "uid-never-seen")
    for story in (Story(), three_ready_pods(), gappy):
        assert verdict_on(guarantee, story).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("guarantee", ALL)
def test_malformed_steps_are_an_error(guarantee: Guarantee) -> None:
    story = three_ready_pods()
    story.events.append(
        StepMark(time_ns=at(9), step_id="x", name="set_image", target="web", mark="done")
    )
    with pytest.raises(RecordError, match="never started"):
        verdict_on(guarantee, story)


def test_stall_without_the_reason_is_violated_and_unknown_when_cut_short() -> None:
    guarantee = rollout_stalled("web", reason_in=("InvalidImageName",), within_s=30)
    _, text = first(verdict_on(guarantee, bad_rollout()))[:2]
    assert "no new pod shows InvalidImageName" in text
    assert "ErrImagePull" in text
    longer = rollout_stalled("web", reason_in=("InvalidImageName",), within_s=60)
    assert verdict_on(longer, bad_rollout()).outcome is Outcome.UNKNOWN


def test_stall_shown_late_is_violated() -> None:
    time_ns, _ = first(verdict_on(rollout_stalled("web", within_s=1), bad_rollout()))[:2]
    assert time_ns == at(13)


def test_new_pod_that_becomes_ready_breaks_the_stall() -> None:
    story = bad_rollout(undo=False)
    story.watched(28, "Pod", pod("new-0", of=NEW, ready_since=28))
    time_ns, text = first(verdict_on(rollout_stalled("web"), story))[:2]
    assert time_ns == at(28)
    assert "new-0 became Ready" in text


def test_undo_to_another_template_is_violated() -> None:
    story = bad_rollout(undo=False)
    story.step("undo", "deployment/web", 45)
    story.watched(45.1, "Deployment", deployment(revision=3, image="app:v0"))
    assert "template differs" in first(verdict_on(template_restored("web"), story))[1]


def test_undo_without_new_revision_or_with_another_replica_set_is_violated() -> None:
    story = bad_rollout(undo=False)
    story.step("undo", "deployment/web", 45)
    story.watched(45.1, "Deployment", deployment(revision=2))
    assert "not higher than 2" in first(verdict_on(template_restored("web"), story))[1]
    story.watched(46, "Deployment", deployment(revision=3))
    assert verdict_on(template_restored("web"), story).outcome is Outcome.HELD
    story.watched(46, "ReplicaSet", replica_set("rs-3", uid="uid-rs-3"), "ADDED")
    assert "ReplicaSet is" in first(verdict_on(template_restored("web"), story))[1]


def test_undo_missing_or_failed_is_unknown() -> None:
    assert verdict_on(template_restored("web"), bad_rollout(undo=False)).outcome is Outcome.UNKNOWN
    failed = bad_rollout(undo=False).step("undo", "deployment/web", 45, end="failed")
    assert verdict_on(template_restored("web"), failed).outcome is Outcome.UNKNOWN


def test_restart_and_removal_of_a_good_pod_are_violations() -> None:
    restarted = bad_rollout().watched(48, "Pod", pod("old-1", of=OLD, ready_since=48, restarts=1))
    seen = first(verdict_on(no_needless_restart("web"), restarted))[:2]
    assert seen == (at(48), "old-1 was restarted 1 times")
    removed = bad_rollout().watched(30, "Pod", pod("old-2", of=OLD, leaving=True))
    assert "old-2 was taken away" in first(verdict_on(no_needless_restart("web"), removed))[1]


def test_restarts_after_the_next_step_are_not_charged() -> None:
    story = bad_rollout().step("set_image", "deployment/web", 60)
    story.watched(61, "Pod", pod("old-1", of=OLD, leaving=True))
    assert verdict_on(no_needless_restart("web"), story).outcome is Outcome.HELD
