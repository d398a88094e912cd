"""latency on hand-made and generated histories."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import latency
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, load_marks, slowed, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on


def check(rows: list[RequestRow], at_most_s: float = 0.1, quantile: float = 0.99) -> Verdict:
    return verdict_on(latency(at_most_s, quantile=quantile), rows=rows)


def test_holds_and_states_quantiles_of_response_and_service_time() -> None:
    rows = slowed(slowed(steady(seconds=10), 5, 9.5, 0.02), 9.5, 10, 0.05)
    verdict = check(rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.title == "99 % of requests answered within 0.1 s"
    assert verdict.coverage == {"requests": 1000, "slow or not ok": 0}
    expected = {"p50": 0.005, "p90": 0.02, "p99": 0.05, "max": 0.05}
    for name, seconds in expected.items():
        assert verdict.figures[f"response_{name}_s"] == seconds
        assert verdict.figures[f"service_{name}_s"] == pytest.approx(seconds - 0.0001)
    assert verdict.figures["slow_share"] == 0


def test_response_counts_from_the_planned_time_and_service_from_the_sent_one() -> None:
    verdict = check(delayed(steady(seconds=10), 0, 10, 0.02))
    assert verdict.figures["response_p50_s"] == pytest.approx(0.025)
    assert verdict.figures["service_p50_s"] == pytest.approx(0.005)


def test_violated_with_first_worst_and_last_slow_request() -> None:
    rows = slowed(steady(seconds=30), 10, 10.4, 0.3)
    rows = slowed(rows, 10.2, 10.21, 0.7)
    verdict = check(rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.summary.startswith(
        "40 of 3000 requests slower than 0.1 s or not ok (1.333 %; 1 % allowed)"
    )
    assert verdict.figures["slow_share"] == pytest.approx(40 / 3000)
    evidence = verdict.evidence
    assert evidence.count == 40
    assert evidence.first is not None
    assert evidence.worst is not None
    assert evidence.last is not None
    assert evidence.first.time_ns == at(10)
    assert evidence.first.text == (
        "slot 1000: read on stream kept via n1: ok, answered by web-1, 0.300 s after its planned"
        " time (0.300 s after it was sent)"
    )
    assert evidence.first.objects == ["kept via n1"]
    assert evidence.worst.time_ns == at(10.2)
    assert "0.700 s after its planned time" in evidence.worst.text
    assert evidence.last.time_ns == at(10.39)


@pytest.mark.parametrize("how", ["fail", "unknown", "unsent"])
def test_what_is_not_ok_is_slower_than_any_limit(how: str) -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.31), outcome=how))
    verdict = check(rows, at_most_s=1000)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 31
    assert verdict.figures["response_max_s"] == 0.005
    assert verdict.evidence.first is not None
    assert how in verdict.evidence.first.text
    fewer = steady(seconds=30, outcome=bad_between((10, 10.3), outcome=how))
    assert check(fewer, at_most_s=1000).outcome is Outcome.HELD


def test_a_limit_is_met_by_what_takes_just_as_long() -> None:
    for limit_s in (0.29, 1.001):  # 1.001 * 1e9 is a little less than 1001000000
        rows = slowed(steady(seconds=10), 0, 10, limit_s)
        assert check(rows, at_most_s=limit_s).outcome is Outcome.HELD
        assert check(rows, at_most_s=limit_s - 1e-6).outcome is Outcome.VIOLATED


def test_too_few_requests_are_unknown_but_violated_when_hopeless() -> None:
    rows = steady(seconds=2.99)
    verdict = check(rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "299 requests are too few to tell (300 needed)" in verdict.summary
    assert check(slowed(rows, 1, 1.03, 1)).outcome is Outcome.UNKNOWN
    assert check(slowed(rows, 1, 1.04, 1)).outcome is Outcome.VIOLATED
    few = latency(0.1, minimum_requests=299).check(History.of_parts(requests=rows))
    assert few.outcome is Outcome.HELD


def test_empty_is_unknown() -> None:
    verdict = check([])
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.figures == {}


def test_slowness_of_a_late_driver_is_neither_for_nor_against() -> None:
    rows = delayed(steady(seconds=30), 10, 10.4, 0.5)
    verdict = check(rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the driver itself was late by up to 500 ms" in verdict.summary
    assert verdict.coverage["not ok in harness-suspect seconds"] == 40
    assert verdict.figures["slow_share"] == 0
    slow_too = slowed(rows, 20, 20.31, 0.5)
    violated = check(slow_too)
    assert violated.outcome is Outcome.VIOLATED
    assert violated.evidence.count == 31
    assert violated.evidence.first is not None
    assert violated.evidence.first.time_ns == at(20)
    assert "40 of these in harness-suspect seconds, not charged" in violated.summary
    assert violated.figures["slow_share"] == pytest.approx(31 / 2960)
    assert check(delayed(steady(seconds=30), 10, 10.3, 0.5)).outcome is Outcome.HELD


def test_figures_of_the_worst_stream() -> None:
    rows = [
        *steady(seconds=30),
        *slowed(
            steady(seconds=30, stream="new via n1", connection="new", load="load-2"), 10, 10.5, 0.3
        ),
    ]
    verdict = check(rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["slow_share"] == pytest.approx(50 / 6000)
    assert verdict.figures["slow_share_of_worst_stream"] == pytest.approx(50 / 3000)
    assert verdict.figures["response_quantile_of_worst_stream_s"] == 0.3
    only_new = latency(0.1, connection="new").check(History.of_parts(requests=rows))
    assert only_new.outcome is Outcome.VIOLATED
    assert only_new.title == "99 % of requests by connection new answered within 0.1 s"


def test_a_fault_bounds_what_is_judged_and_must_be_proved() -> None:
    rows = slowed(steady(seconds=60), 12, 14, 0.5)
    proved = Story().fault("nic_down", "n2", 10, 20)
    unproved = Story().fault("nic_down", "n2", 10, 20, proved=False)
    for guarantee, outcome in (
        (latency(0.1, outside="nic_down"), Outcome.HELD),
        (latency(0.1, during="nic_down"), Outcome.VIOLATED),
    ):
        history = History.of_parts(requests=rows, events=proved.events)
        assert guarantee.check(history).outcome is outcome
    history = History.of_parts(requests=rows, events=unproved.events)
    assert latency(0.1, outside="nic_down").check(history).outcome is Outcome.UNKNOWN


def test_unknown_where_requests_or_the_end_of_the_load_are_missing() -> None:
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="lost",
        since_ns=at(5),
        until_ns=at(6),
        detail="",
    )
    died = LoadMark(time_ns=at(50), load_id="load-1", mark="died", rate_per_s=1, streams=[])
    for rows in (steady(seconds=30), slowed(steady(seconds=30), 10, 11, 1)):
        for history in (
            History.of_parts(requests=rows, damage=[lost]),
            History.of_parts(requests=rows, events=[died]),
            History.of_parts(requests=rows, events=load_marks(rows, planned=len(rows) + 1)),
        ):
            assert latency(0.1).check(history).outcome is Outcome.UNKNOWN


def test_a_request_that_ends_before_it_was_sent_is_an_error() -> None:
    rows = steady(seconds=5)
    rows[7] = rows[7]._replace(end_ns=rows[7].planned_ns)
    with pytest.raises(RecordError, match="ended before they were sent"):
        check(rows)


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="at_most_s"):
        latency(0)
    for quantile in (0, 1, 99):
        with pytest.raises(UsageError, match="quantile"):
            latency(1, quantile=quantile)
    with pytest.raises(UsageError, match="outside"):
        latency(1, outside="a", during="b")


spans = st.tuples(st.floats(0, 12), st.floats(0.1, 6)).map(lambda pair: (pair[0], sum(pair)))
took = st.one_of(st.none(), st.integers(1, 400))  # ms; None: failed


@examples(80)
@given(
    times=st.lists(took, min_size=1, max_size=400),
    limit_ms=st.integers(1, 400),
    quantile=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_agrees_with_looking_at_one_request_after_the_other(
    times: list[int | None], limit_ms: int, quantile: float
) -> None:
    rows = [
        row._replace(outcome="fail")
        if ms is None
        else row._replace(end_ns=row.planned_ns + ms * 1_000_000)
        for row, ms in zip(steady(seconds=4), times, strict=False)
    ]
    verdict = check(rows, at_most_s=limit_ms / 1000, quantile=quantile)
    slow = [n for n, ms in enumerate(times) if ms is None or ms > limit_ms]
    assert verdict.coverage["slow or not ok"] == len(slow)
    minimum = math.ceil(round(3 / (1 - quantile), 6))
    if len(times) >= minimum:
        fits = len(slow) <= (1 - quantile) * len(times) + 1e-9
        assert verdict.outcome is (Outcome.HELD if fits else Outcome.VIOLATED)
    else:
        assert verdict.outcome is not Outcome.HELD
    if verdict.outcome is Outcome.VIOLATED:
        first, last = verdict.evidence.first, verdict.evidence.last
        assert first is not None
        assert last is not None
        assert first.time_ns == rows[slow[0]].planned_ns
        assert last.time_ns == rows[slow[-1]].planned_ns
        assert verdict.evidence.count == len(slow)
    answered = sorted(ms for ms in times if ms is not None)
    if answered:
        p90 = next(ms for n, ms in enumerate(answered) if (n + 1) >= 0.9 * len(answered) - 1e-9)
        assert verdict.figures["response_p90_s"] == pytest.approx(p90 / 1000)
        assert verdict.figures["response_max_s"] == pytest.approx(answered[-1] / 1000)


@examples(60)
@given(
    start_s=st.floats(0, 20),
    length_s=st.floats(0.01, 8),
    slow_s=st.floats(0.11, 5),
    lag_s=st.floats(0, 0.02),
)
def test_slowness_planted_is_always_found_and_its_first_request_named(
    start_s: float, length_s: float, slow_s: float, lag_s: float
) -> None:
    clean = delayed(steady(seconds=30, rate_per_s=20), 0, 30, lag_s)
    assert check(clean).outcome is Outcome.HELD
    rows = slowed(clean, start_s, start_s + length_s, slow_s)
    slow = [row for row, other in zip(rows, clean, strict=True) if row != other]
    verdict = check(rows)
    assert verdict.outcome is (Outcome.VIOLATED if len(slow) > 6 else Outcome.HELD)
    if len(slow) > 6:
        assert verdict.evidence.first is not None
        assert verdict.evidence.first.time_ns == slow[0].planned_ns


@examples(60)
@given(
    bad=st.lists(spans, max_size=3),
    stall=spans,
    lag_s=st.floats(0, 6),
    slow_s=st.floats(0.01, 0.5),
)
def test_lag_neither_clears_nor_accuses(
    bad: list[tuple[float, float]], stall: tuple[float, float], lag_s: float, slow_s: float
) -> None:
    rows = steady(seconds=15, rate_per_s=20)
    for start_s, end_s in bad:
        rows = slowed(rows, start_s, end_s, slow_s)
    late = delayed(rows, *stall, lag_s)
    for quantile in (0.5, 0.9, 0.95):
        before = check(rows, 0.1, quantile).outcome
        after = check(late, 0.1, quantile).outcome
        if before is Outcome.VIOLATED:
            assert after is not Outcome.HELD
        elif slow_s + 0.025 < 0.1 or slow_s > 0.1:  # else a lag that is none may tip the scales
            assert after is not Outcome.VIOLATED
