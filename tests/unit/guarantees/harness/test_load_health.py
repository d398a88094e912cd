"""load_was_enough: whether the driver was punctual and at ease."""

from chaoskit.guarantees import load_was_enough
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import AnyEvent
from chaoskit.history.reader import History
from tests.corpus.driver import calibrated, closed, health
from tests.corpus.requests import bad_between, delayed, load_marks, steady
from tests.corpus.story import Story


def test_load_was_enough_holds_for_a_punctual_driver() -> None:
    rows = steady(seconds=30)
    verdict = load_was_enough().check(History.of_parts(requests=rows, events=load_marks(rows)))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["calibrated"] == 0
    assert verdict.title == "the load was enough to conclude from"
    calm: list[AnyEvent] = [*load_marks(rows), calibrated(200, 100), health(3, 6, 0.7)]
    verdict = load_was_enough().check(History.of_parts(requests=rows, events=calm))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["calibrated"] == 1


def test_load_is_not_enough_when_the_driver_was_at_its_limits() -> None:
    rows = steady(seconds=30)
    marks = load_marks(rows)
    busy: list[AnyEvent] = [*marks, health(3, 5, 0.9)]
    verdict = load_was_enough().check(History.of_parts(requests=rows, events=busy))
    assert verdict.outcome is Outcome.UNKNOWN
    assert (
        "2 of 30 seconds are harness-suspect (at 3 s, 4 s): the driver itself used more than 80%"
        " of a core"
    ) in verdict.summary
    over: list[AnyEvent] = [*marks, calibrated(190, 100)]
    verdict = load_was_enough().check(History.of_parts(requests=rows, events=over))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "30 of 30 seconds are harness-suspect (at 0 s, 1 s, 2 s, …)" in verdict.summary
    assert "was asked for more than half of what it can send" in verdict.summary


def test_a_closed_loop_is_called_one_and_cannot_be_late() -> None:
    rows = delayed(steady(seconds=30), 5, 25, 0.2)
    late = load_was_enough().check(History.of_parts(requests=rows, events=load_marks(rows)))
    assert late.outcome is Outcome.UNKNOWN
    events: list[AnyEvent] = [closed(), *load_marks(rows)]
    verdict = load_was_enough().check(History.of_parts(requests=rows, events=events))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.title == "the load was enough to conclude from, closed loop"
    assert verdict.summary == "3000 requests, closed loop"
    assert "lag_p99_s" not in verdict.figures


def test_the_sampler_is_no_part_of_the_load() -> None:
    rows = steady(seconds=30)
    sampler = steady(seconds=30, load="sampler-load-1", stream="sampler kept via n1")
    late = delayed(sampler, 5, 25, 0.2)
    verdict = load_was_enough().check(History.of_parts(requests=[*rows, *late]))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["requests"] == verdict.coverage["outside faults"] == 3000
    alone = load_was_enough().check(History.of_parts(requests=sampler))
    assert alone.outcome is Outcome.UNKNOWN
    assert "0 requests are too few" in alone.summary
    control = steady(
        seconds=30, load="sampler-load-1", stream="control new", outcome=bad_between((3, 4))
    )
    trouble = load_was_enough().check(History.of_parts(requests=[*rows, *control]))
    assert trouble.outcome is Outcome.UNKNOWN
    assert "3.3% failed on control streams" in trouble.summary


def test_load_doubts_are_unknown_never_violated() -> None:
    rows = steady(seconds=30)
    late = [row._replace(sent_ns=row.planned_ns + 40_000_000, end_ns=None) for row in rows]
    unsent = steady(seconds=30, outcome=bad_between((3, 4), outcome="unsent"))
    control = steady(seconds=30, stream="control", outcome=bad_between((3, 4)))
    for bad in ([], late, unsent, [*rows, *control], rows[:50]):
        history = History.of_parts(requests=bad)
        assert load_was_enough().check(history).outcome is Outcome.UNKNOWN


def test_slots_unsent_during_a_fault_are_not_the_drivers_fault() -> None:
    rows = steady(seconds=30, outcome=bad_between((10.1, 14), outcome="unsent"))
    story = Story().fault("nic_down", "n2", 10, 15)
    history = History.of_parts(requests=rows, events=story.events)
    assert load_was_enough().check(history).outcome is Outcome.HELD
