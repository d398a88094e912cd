"""step_refused and step_skipped: a step that comes to nothing says why, and changes nothing."""

import pytest

from chaoskit.guarantees import step_refused, step_skipped
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import StepMark
from tests.corpus.deployments import web
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

REFUSAL = "StepRefused: Deployment chaos/web: unable to find specified revision 1 in history"
REFUSED = step_refused("web", "undo", "unable to find specified revision 1")
SKIPPED = step_skipped("web", "undo")


def undo(story: Story, second: float, end: str, text: str, detail: str = "to 1") -> Story:
    """An undo that takes 0.1 s and ends with that text."""
    for moment, mark, said in ((second, "started", detail), (second + 0.1, end, text)):
        story.events.append(
            StepMark(
                time_ns=at(moment),
                step_id=f"undo-{second}",
                name="undo",
                target="Deployment web",
                mark=mark,  # type: ignore[arg-type]
                detail=said,
            )
        )
    return story


def at_rest() -> Story:
    """web, complete, and watched."""
    story = Story().watched(0, "Deployment", web(revision=2), "LISTED")
    return story.watching("Deployment", second=0.1)


def test_a_refusal_with_its_reason_holds() -> None:
    verdict = verdict_on(REFUSED, undo(at_rest(), 5, "failed", REFUSAL), end_s=10)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == REFUSAL


def test_a_skipped_step_holds() -> None:
    verdict = verdict_on(SKIPPED, undo(at_rest(), 5, "done", "to 1"), end_s=10)
    assert verdict.outcome is Outcome.HELD, verdict.summary


@pytest.mark.parametrize(
    "guarantee,end,text,witness",
    [
        (REFUSED, "done", "to 1", "it was done, not refused"),
        (REFUSED, "failed", "Transient: 503", "it does not say"),
        (SKIPPED, "failed", REFUSAL, "it was refused: StepRefused"),
    ],
)
def test_another_end_is_the_witness(
    guarantee: Guarantee, end: str, text: str, witness: str
) -> None:
    time_ns, said, objects = first(verdict_on(guarantee, undo(at_rest(), 5, end, text), end_s=10))
    assert time_ns == at(5.1)
    assert said.startswith(witness)
    assert objects == ["web"]


@pytest.mark.parametrize("guarantee,end", [(REFUSED, "failed"), (SKIPPED, "done")])
def test_a_change_after_all_is_the_witness(guarantee: Guarantee, end: str) -> None:
    story = undo(at_rest(), 5, end, REFUSAL if end == "failed" else "to 1")
    story.watched(5.2, "Deployment", web(image="app:v1-again", revision=2, generation=3))
    assert first(verdict_on(guarantee, story, end_s=10))[0] == at(5.2)


def test_what_the_controller_and_the_next_step_do_is_not_charged() -> None:
    story = undo(at_rest(), 5, "failed", REFUSAL)
    story.watched(5.2, "Deployment", web(revision=3, generation=2, complete=False))
    story.step("set_image", "Deployment web", 7)
    story.watched(7.05, "Deployment", web(image="app:v3", revision=2, generation=3))
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.HELD


def test_a_change_of_the_step_just_before_that_is_seen_late_is_no_proof() -> None:
    story = at_rest().step("set_image", "Deployment web", 4.8)
    undo(story, 5, "failed", REFUSAL)
    story.watched(5.02, "Deployment", web(image="app:v3", revision=2, generation=3))
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.UNKNOWN
    story.watched(7, "Deployment", web(image="app:v4", revision=2, generation=4))
    assert first(verdict_on(REFUSED, story, end_s=10))[0] == at(7)


def test_one_that_never_existed_must_not_exist_afterwards() -> None:
    story = undo(Story().watching("Deployment"), 5, "failed", REFUSAL)
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.HELD
    story.watched(5.2, "Deployment", web(), "ADDED")
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.VIOLATED


def test_the_detail_chooses_among_steps_of_one_name() -> None:
    story = undo(at_rest(), 5, "failed", REFUSAL)
    undo(story, 7, "done", "to 3", detail="to 3")
    story.watched(7.05, "Deployment", web(image="app:v3", revision=2, generation=3))
    only_first = step_refused("web", "undo", "unable to find", detail="to 1")
    assert verdict_on(only_first, story, end_s=10).outcome is Outcome.HELD
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.VIOLATED


def test_no_such_step_no_end_and_a_gap_are_unknown() -> None:
    without_end = at_rest()
    without_end.step("undo", "Deployment web", 5, end=None)
    gap = undo(at_rest(), 5, "failed", REFUSAL).gap("Deployment", 6, "uid-web")
    for story in (Story(), at_rest(), without_end, gap):
        assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.UNKNOWN
