"""degradation on hand-made and generated histories."""

from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import degradation, outage
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import FaultMark, LoadMark
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, phase_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on


def check(rows: Sequence[RequestRow], below: float, at_most_s: float) -> Verdict:
    return verdict_on(degradation(below, at_most_s), rows=rows)


def every_second_between(*spans: tuple[float, float], rate: int = 10) -> Callable[[float], str]:
    """Of the slots planned in [start, end) of a span every second one fails, the first among them.

    For spans that begin with an even slot of a stream at `rate` slots a second.
    """
    inside = bad_between(*spans)
    return lambda second: "ok" if round(second * rate) % 2 else inside(second)


def half_bad(*spans: tuple[float, float], seconds: float = 30) -> list[RequestRow]:
    return steady(seconds=seconds, rate_per_s=10, outcome=every_second_between(*spans))


def test_a_service_without_bad_seconds_holds() -> None:
    verdict = check(steady(seconds=30), 0.99, 0.5)
    assert verdict.outcome is Outcome.HELD
    assert verdict.summary == "no second below 99 % ok"
    assert verdict.title == "no more than 0.5 s below 99 % ok"
    assert verdict.coverage == {
        "planned slots": 3000,
        "streams": 1,
        "windows": 30,
        "degraded windows": 0,
    }
    assert verdict.figures == {"degradation_at_least_s": 0, "degradation_at_most_s": 0}


def test_it_is_found_where_no_outage_is() -> None:
    rows = half_bad((10, 16))
    assert outage(0.5).check(History.of_parts(requests=rows)).outcome is Outcome.HELD
    verdict = check(rows, 0.9, 5)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.coverage["degraded windows"] == 6
    first = verdict.evidence.first
    assert first is not None
    assert first.time_ns == at(10)
    assert first.text == (
        "stream kept via n1 of load load-1 was below 90 % ok for 5.800 s (at most 8.000 s)"
    )
    assert first.objects == ["kept via n1", "load-1"]


def test_a_window_as_good_as_the_share_is_not_below_it() -> None:
    rows = half_bad((10, 16))
    assert check(rows, 0.5, 0.1).outcome is Outcome.HELD
    assert check(rows, 0.501, 5).outcome is Outcome.VIOLATED


def test_between_the_bounds_it_is_unknown() -> None:
    rows = half_bad((10, 14))
    for limit_s, outcome in (
        (3.7, Outcome.VIOLATED),
        (3.8, Outcome.UNKNOWN),
        (5.9, Outcome.UNKNOWN),
        (6, Outcome.HELD),
    ):
        verdict = check(rows, 0.9, limit_s)
        assert verdict.outcome is outcome
        assert verdict.figures["degradation_at_least_s"] == pytest.approx(3.8)
        assert verdict.figures["degradation_at_most_s"] == 6
    assert "a degradation may have lasted up to 6.000 s" in check(rows, 0.9, 5).summary


def test_each_run_is_a_witness_and_the_longest_the_worst() -> None:
    rows = [
        *half_bad((3, 6), (10, 15), (20, 24)),
        *steady(seconds=30, rate_per_s=10, load="load-2", outcome=bad_between((8, 9))),
    ]
    verdict = check(rows, 0.9, 2)
    assert verdict.outcome is Outcome.VIOLATED
    evidence = verdict.evidence
    assert evidence.count == 3
    assert evidence.first is not None
    assert evidence.worst is not None
    assert evidence.last is not None
    assert [w.time_ns for w in (evidence.first, evidence.worst, evidence.last)] == [
        at(3),
        at(10),
        at(20),
    ]


def test_windows_begin_with_the_streams_first_slot() -> None:
    rows = steady(seconds=20, start_s=0.4, rate_per_s=10, outcome=bad_between((10.4, 10.8)))
    assert check(rows, 0.9, 5).coverage["degraded windows"] == 1
    rows = steady(seconds=20, rate_per_s=10, start_s=0.4, outcome=bad_between((10.2, 10.6)))
    assert check(rows, 0.9, 5).coverage["degraded windows"] == 2


def test_a_run_at_either_end_of_its_stream_has_no_known_length() -> None:
    for span in ((0, 2), (28, 30)):
        verdict = check(half_bad(span), 0.9, 10)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "a degradation touches the end of its stream" in verdict.summary
    assert check(half_bad((0, 30)), 0.9, 10).outcome is Outcome.VIOLATED


def test_windows_without_slots_may_have_been_bad() -> None:
    rows = [row for row in steady(seconds=30) if not at(10) <= row.planned_ns < at(20)]
    assert check(rows, 0.9, 5).outcome is Outcome.UNKNOWN
    assert check(rows, 0.9, 12).outcome is Outcome.HELD


def test_only_runs_of_the_window_count_and_after_counts_from_the_heal() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = half_bad((2, 5), (11, 13), (19, 24), (40, 48), seconds=60)
    history = History.of_parts(requests=rows, events=story.events)
    during = degradation(0.9, 7, during="nic_down").check(history)
    assert during.outcome is Outcome.HELD
    assert during.figures["degradation_at_least_s"] == pytest.approx(4.8)
    assert during.coverage["windows"] == 11
    assert during.title == "no more than 7 s below 90 % ok during nic_down"
    assert degradation(0.9, 4, during="nic_down").check(history).outcome is Outcome.VIOLATED
    after = degradation(0.9, 10, after="nic_down").check(history)
    assert after.outcome is Outcome.HELD
    violated = degradation(0.9, 7, after="nic_down").check(history)
    assert violated.outcome is Outcome.VIOLATED
    assert violated.evidence.count == 1
    short = half_bad((19, 24), seconds=60)
    left = degradation(0.9, 5, after="nic_down").check(
        History.of_parts(requests=short, events=story.events)
    )
    assert left.outcome is Outcome.HELD
    assert left.figures["degradation_at_least_s"] == pytest.approx(23.8 - 20.3)
    assert left.figures["degradation_at_most_s"] == pytest.approx(25 - 20.3)


def test_a_heal_bounds_a_run_at_the_beginning_of_its_stream() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = steady(seconds=45, start_s=15, rate_per_s=10, outcome=bad_between((15, 24)))
    history = History.of_parts(requests=rows, events=story.events)
    verdict = degradation(0.9, 5, after="nic_down").check(history)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["degradation_at_most_s"] == pytest.approx(25 - 20.3)


@pytest.mark.parametrize("bad, late", [((19, 27), (19, 21)), ((3, 12), (9, 12))])
def test_what_surely_was_bad_only_outside_the_window_is_not_charged_to_it(
    bad: tuple[float, float], late: tuple[float, float]
) -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = delayed(half_bad(bad, seconds=60), *late, 0.1)
    history = History.of_parts(requests=rows, events=story.events)
    verdict = degradation(0.9, 3, during="nic_down").check(history)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.figures["degradation_at_least_s"] == 0
    assert degradation(0.9, 3).check(history).outcome is Outcome.VIOLATED


def test_a_phase_counts_like_a_window() -> None:
    rows = half_bad((10, 16))
    for begin_s, outcome in ((15, Outcome.VIOLATED), (17, Outcome.HELD)):
        history = History.of_parts(requests=rows, events=phase_marks("p", begin_s, 25))
        assert degradation(0.9, 5, phase="p").check(history).outcome is outcome


def test_unknown_without_slots_cover_proof_heal_or_whole_records() -> None:
    rows = steady(seconds=60)
    bad = half_bad((11, 19), seconds=60)
    proved = Story().fault("nic_down", "n2", 10, 20).events
    unproved = Story().fault("nic_down", "n2", 10, 20, proved=False).events
    unhealed = Story().fault("nic_down", "n2", 10, 20, healed=False).events
    died = LoadMark(time_ns=at(61), load_id="load-1", mark="died", rate_per_s=1, streams=[])
    during, after = degradation(0.9, 3, during="nic_down"), degradation(0.9, 3, after="nic_down")
    for guarantee, history in (
        (during, History.of_parts()),
        (degradation(0.9, 3), History.of_parts()),
        (during, History.of_parts(requests=rows)),
        (during, History.of_parts(requests=steady(seconds=30, start_s=15), events=proved)),
        (during, History.of_parts(requests=rows, events=unproved)),
        (after, History.of_parts(requests=rows, events=unhealed)),
        (after, History.of_parts(requests=steady(seconds=15), events=proved)),
        (degradation(0.9, 3), History.of_parts(requests=rows, events=[died])),
        (degradation(0.9, 3), History.of_parts(requests=bad, events=[died])),
        (degradation(0.9, 3, stream="absent"), History.of_parts(requests=rows)),
    ):
        assert guarantee.check(history).outcome is Outcome.UNKNOWN
    kinds: tuple[Literal["events", "requests"], ...] = ("requests", "events")
    for holds in kinds:
        lost = Damage(
            file="x", holds=holds, kind="lost", since_ns=at(12), until_ns=at(13), detail=""
        )
        history = History.of_parts(requests=bad, events=proved, damage=[lost])
        verdict = during.check(history)
        assert verdict.outcome is Outcome.UNKNOWN
        assert f"{holds} may be missing" in verdict.summary


def test_contradictory_marks_are_an_error() -> None:
    mark = FaultMark(time_ns=at(6), fault_id="f", name="x", target="n2", mark="effective")
    history = History.of_parts(requests=steady(seconds=30), events=[mark])
    with pytest.raises(RecordError, match="never injected"):
        degradation(0.9, 3, during="x").check(history)


def test_slots_of_a_late_driver_are_bad_only_in_the_upper_bound() -> None:
    rows = half_bad((10, 16))
    late = delayed(rows, 10, 16, 0.1)
    verdict = check(late, 0.9, 3)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "30 requests failed while the driver itself was late by up to 100 ms" in verdict.summary
    assert verdict.coverage["degraded windows"] == 0
    assert check(late, 0.9, 8).outcome is Outcome.HELD
    partly = delayed(rows, 14, 16, 0.1)
    assert check(partly, 0.9, 3).outcome is Outcome.VIOLATED
    assert check(partly, 0.9, 4).outcome is Outcome.UNKNOWN


def test_a_driver_that_stood_still_may_have_missed_a_degradation() -> None:
    rows = steady(seconds=30)
    for slot in range(400):
        planned_s = 12 + slot / 100
        rows = delayed(rows, planned_s - 1e-6, planned_s + 1e-6, 16 - planned_s)
    verdict = check(rows, 0.9, 3)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the driver itself was late by up to 4.0 s" in verdict.summary
    assert check(rows, 0.9, 6).outcome is Outcome.HELD
    assert check(delayed(steady(seconds=30), 0, 30, 0.1), 0.9, 0.5).outcome is Outcome.HELD


def test_late_answers_are_bad_with_a_deadline() -> None:
    rows = steady(seconds=30, latency_s=0.2)
    history = History.of_parts(requests=rows)
    assert degradation(0.9, 3, deadline_s=0.3).check(history).outcome is Outcome.HELD
    assert degradation(0.9, 3, deadline_s=0.1).check(history).outcome is Outcome.VIOLATED


def test_nonsense_is_refused() -> None:
    for below in (0, 1.1, 99):
        with pytest.raises(UsageError, match="below"):
            degradation(below, 1)
    with pytest.raises(UsageError, match="at_most_s"):
        degradation(0.9, 0)
    with pytest.raises(UsageError, match="takes one of"):
        degradation(0.9, 1, during="a", after="b")
    with pytest.raises(UsageError, match="takes one of"):
        degradation(0.9, 1, during="a", phase="b")


spans = st.tuples(st.floats(0, 12), st.floats(0.1, 6)).map(lambda pair: (pair[0], sum(pair)))


@examples(60)
@given(
    start_s=st.floats(2, 20),
    length_s=st.floats(0.2, 30),
    shift_s=st.floats(0, 1),
    limit_s=st.floats(0.5, 30),
)
def test_a_planted_degradation_lies_within_the_bounds_and_is_named(
    start_s: float, length_s: float, shift_s: float, limit_s: float
) -> None:
    """Every second slot of 20 a second fails, so every window wholly inside is below 90 %."""
    rows = steady(
        seconds=60,
        start_s=shift_s,
        rate_per_s=20,
        outcome=bad_between((start_s, start_s + length_s)),
    )
    rows = [row if row.slot % 2 else row._replace(outcome="ok") for row in rows]
    bad = [row.planned_ns for row in rows if row.outcome != "ok"]
    verdict = check(rows, 0.9, limit_s)
    lower = verdict.figures["degradation_at_least_s"]
    upper = verdict.figures["degradation_at_most_s"]
    assert lower <= length_s + 1e-6
    assert length_s <= max(upper, 2) + 1e-6
    assert upper - lower <= 4 + 1e-6
    if length_s < limit_s:
        assert verdict.outcome is not Outcome.VIOLATED
    if length_s > limit_s + 2.3:
        assert verdict.outcome is Outcome.VIOLATED
        assert verdict.evidence.first is not None
        assert verdict.evidence.first.time_ns in bad[:20]
    if length_s + 4 < limit_s:
        assert verdict.outcome is Outcome.HELD


@examples(100)
@given(
    outcomes=st.lists(st.sampled_from(["ok", "ok", "fail", "unknown"]), min_size=1, max_size=120),
    below=st.sampled_from([0.3, 0.5, 0.75, 1.0]),
    limit_s=st.sampled_from([0.5, 2, 3, 5]),
)
def test_agrees_with_counting_window_by_window(
    outcomes: list[str], below: float, limit_s: float
) -> None:
    rows = [
        row._replace(outcome=how)
        for row, how in zip(steady(seconds=30, rate_per_s=4), outcomes, strict=False)
    ]
    windows = [outcomes[n : n + 4] for n in range(0, len(outcomes), 4)]
    is_below = [w.count("ok") / len(w) < below for w in windows]
    lower, upper, bad = 0.0, 0.0, list[int]()
    for n, _ in enumerate(windows):
        bad = [*bad, n] if is_below[n] else []
        if bad:
            inside = range(bad[0] * 4, min(n * 4 + 4, len(outcomes)))
            slots = [slot for slot in inside if outcomes[slot] != "ok"]
            lower = max(lower, (slots[-1] - slots[0]) / 4)
            is_open = bad[0] == 0 or n == len(windows) - 1
            upper = max(upper, float("inf") if is_open else len(bad) + 2)
    verdict = check(rows, below, limit_s)
    assert verdict.coverage["degraded windows"] == sum(is_below)
    assert verdict.figures["degradation_at_least_s"] == lower
    assert verdict.figures.get("degradation_at_most_s", float("inf")) == upper
    expected = Outcome.HELD if upper <= limit_s else Outcome.UNKNOWN
    assert verdict.outcome is (Outcome.VIOLATED if lower > limit_s else expected)


@examples(40)
@given(
    bad=st.lists(spans, max_size=3),
    stalls=st.lists(st.tuples(spans, st.floats(0, 6)), min_size=1, max_size=3),
)
def test_lag_neither_clears_nor_accuses(
    bad: list[tuple[float, float]], stalls: list[tuple[tuple[float, float], float]]
) -> None:
    rows = steady(seconds=15, rate_per_s=20, outcome=bad_between(*bad))
    late = rows
    for (start_s, end_s), lag_s in stalls:
        late = delayed(late, start_s, end_s, lag_s)
    for below, limit_s in ((0.9, 0.5), (0.9, 2), (0.5, 5)):
        before, after = check(rows, below, limit_s).outcome, check(late, below, limit_s).outcome
        if before is Outcome.VIOLATED:
            assert after is not Outcome.HELD
        else:
            assert after is not Outcome.VIOLATED
