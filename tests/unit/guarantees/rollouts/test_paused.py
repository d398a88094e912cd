"""nothing_rolls_while_paused: a paused Deployment only keeps its numbers."""

from chaoskit.guarantees import nothing_rolls_while_paused
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import numbered, web
from tests.corpus.rollouts import KINDS
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

HELD = nothing_rolls_while_paused("deployment/web")


def paused(*, edited: bool = True) -> Story:
    """web with its three pods is paused at 5 s, gets another image at 6 s, and is resumed at 20."""
    story = Story()
    story.watched(0, "Deployment", web(), "LISTED")
    story.watched(0, "ReplicaSet", numbered("rs-1", 1, replicas=3), "LISTED")
    story.watching(*KINDS, second=0.1)
    story.step("pause", "Deployment web", 5)
    story.watched(5.05, "Deployment", web(paused=True, generation=2))
    if edited:
        changed = web(image="app:v2", paused=True, generation=3, complete=False)
        story.watched(6, "Deployment", changed)
    return story.step("resume", "Deployment web", 20)


def test_edits_that_wait_for_the_resume_hold() -> None:
    run = DeploymentRun()
    run.wait_complete()
    run.pause()
    run.set_image("app:v2")
    run.wait(10)
    run.pause(paused=False)
    run.wait_complete()
    verdict = HELD.check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["template changes while paused"] == 1


def test_a_set_made_in_the_pause_is_the_witness() -> None:
    story = paused().watched(8, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "ADDED")
    assert first(verdict_on(HELD, story)) == (
        at(8), "ReplicaSet rs-2 was made while paused", ["rs-2"],
    )  # fmt: skip


def test_a_set_made_within_a_second_of_the_pause_or_after_it_is_not() -> None:
    for second in (5.9, 20.1):
        story = paused()
        story.watched(second, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "ADDED")
        assert verdict_on(HELD, story).outcome is Outcome.HELD


def test_an_old_set_that_shrinks_for_a_new_one_is_the_witness() -> None:
    story = paused().watched(9, "ReplicaSet", numbered("rs-1", 1, replicas=2))
    assert first(verdict_on(HELD, story))[1] == "rs-1 went from 3 to 2 pods while paused"


def test_scaling_a_paused_deployment_is_not_charged() -> None:
    story = paused()
    story.watched(8, "Deployment", web(image="app:v2", paused=True, generation=4, replicas=5))
    story.watched(9, "ReplicaSet", numbered("rs-1", 1, replicas=5))
    assert verdict_on(HELD, story).outcome is Outcome.HELD


def test_never_paused_or_not_edited_or_a_gap_is_unknown() -> None:
    never = Story().watched(0, "Deployment", web(), "LISTED").watching(*KINDS)
    gap = paused().gap("ReplicaSet", 9, "uid-rs-1")
    for story in (Story(), never, paused(edited=False), gap):
        assert verdict_on(HELD, story, end_s=30).outcome is Outcome.UNKNOWN
