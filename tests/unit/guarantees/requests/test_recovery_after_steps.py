"""service_recovers_within after an operator's steps."""

from typing import Literal

from chaoskit.guarantees import service_recovers_within
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from tests.corpus.requests import bad_between, steady
from tests.corpus.story import Story
from tests.corpus.times import at


def test_steps_end_disturbances_too() -> None:
    story = Story().step("delete", "Pod web-1", 10, took_s=2).step("delete", "Pod web-2", 40)
    rows = steady(seconds=60, rate_per_s=10, outcome=bad_between((10.5, 15), (40.5, 41)))
    history = History.of_parts(requests=rows, events=story.events)
    verdict = service_recovers_within(3, after_step="delete").check(history)
    assert verdict.outcome is Outcome.HELD
    assert verdict.title == "service recovers within 3 s of step delete"
    assert verdict.figures["recovery_s"] == 2.9
    assert verdict.coverage["disturbances"] == 2
    violated = service_recovers_within(2, after_step="delete").check(history)
    assert violated.outcome is Outcome.VIOLATED
    assert violated.evidence.first is not None
    assert violated.evidence.first.time_ns == at(14.9)
    assert "after delete of Pod web-1" in violated.evidence.first.text
    assert violated.evidence.first.objects == ["kept via n1", "load-1", "Pod web-1"]
    assert service_recovers_within(3, after_step="undo").check(history).outcome is Outcome.UNKNOWN


def test_what_is_bad_after_the_next_step_is_not_charged_to_the_one_before() -> None:
    story = Story().step("delete", "Pod web-1", 10).step("delete", "Pod web-2", 12, took_s=5)
    rows = steady(seconds=60, rate_per_s=10, outcome=bad_between((10.5, 18)))
    history = History.of_parts(requests=rows, events=story.events)
    verdict = service_recovers_within(4, after_step="delete").check(history)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the next delete had begun, so what was bad is not charged" in verdict.summary


def test_steps_that_failed_or_have_no_end_are_doubts() -> None:
    rows = steady(seconds=60, rate_per_s=10)
    story = Story().step("delete", "Pod web-1", 10)
    ends: tuple[Literal["failed"] | None, ...] = ("failed", None)
    for end in ends:
        both = [*story.events, *Story().step("delete", "Pod web-2", 40, end=end).events]
        verdict = service_recovers_within(3, after_step="delete").check(
            History.of_parts(requests=rows, events=both)
        )
        assert verdict.outcome is Outcome.UNKNOWN
        assert "the step delete of Pod web-2 failed or has no end" in verdict.summary
