"""Harness-suspect seconds: a late driver excuses failures, proves nothing, and hides nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.guarantees import availability, load_was_enough, no_request_lost, outage
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.traffic.suspect import LATE_NS
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

SECOND_NS = 1_000_000_000


def test_what_was_answered_late_by_the_driver_stays_ok() -> None:
    rows = delayed(steady(seconds=30), 10, 13, 0.4)
    for guarantee in (no_request_lost(), availability(0.999)):
        verdict = verdict_on(guarantee, rows=rows)
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage["harness-suspect seconds"] == 3
        assert verdict.coverage["not ok in harness-suspect seconds"] == 0
        assert verdict.figures["driver_lag_at_most_s"] == pytest.approx(0.4)


def test_a_punctual_driver_leaves_no_trace() -> None:
    verdict = verdict_on(no_request_lost(), rows=steady(seconds=30))
    assert "harness-suspect seconds" not in verdict.coverage
    assert "driver_lag_at_most_s" not in verdict.figures


def test_failures_of_punctual_seconds_stay_violations() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((20, 20.24))), 10, 13, 6.4)
    for guarantee in (no_request_lost(), availability(0.999)):
        verdict = verdict_on(guarantee, rows=rows)
        assert verdict.outcome is Outcome.VIOLATED
        assert verdict.evidence.count == 24


def test_failures_of_suspect_seconds_accuse_nobody() -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.24), outcome="unknown"))
    assert verdict_on(no_request_lost(), rows=rows).outcome is Outcome.VIOLATED
    for guarantee in (no_request_lost(), availability(0.999)):
        verdict = verdict_on(guarantee, rows=delayed(rows, 10, 13, 6.4))
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.summary.startswith(
            "cannot tell: 24 requests failed while the driver itself was late by up to 6.4 s:"
            " the machine was too busy to tell"
        )
        assert verdict.coverage["not ok in harness-suspect seconds"] == 24
        assert verdict.evidence.count == 0


def test_of_mixed_failures_only_those_of_punctual_seconds_are_witnesses() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((10, 10.24), (20, 20.05))), 10, 11, 2)
    verdict = verdict_on(no_request_lost(), rows=rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 5
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(20)
    assert "24 of these in harness-suspect seconds, not charged" in verdict.summary
    assert verdict.coverage["not ok"] == 29


def test_a_share_that_holds_with_everything_charged_is_held() -> None:
    rows = delayed(steady(seconds=40, outcome=bad_between((10, 10.03))), 10, 11, 2)
    assert verdict_on(availability(0.999), rows=rows).outcome is Outcome.HELD
    strict = availability(0.9999, minimum_requests=100)
    assert verdict_on(strict, rows=rows).outcome is Outcome.UNKNOWN


def test_a_request_that_ends_in_a_suspect_second_is_touched() -> None:
    rows = delayed(steady(seconds=30), 12, 13, 3)
    for took_s, outcome in ((1.9, Outcome.VIOLATED), (2.0, Outcome.UNKNOWN)):
        slow = rows[1000]._replace(outcome="fail", error="timeout", end_ns=at(10 + took_s))
        assert verdict_on(no_request_lost(), rows=[*rows, slow]).outcome is outcome


def test_the_lag_named_is_that_of_the_seconds_the_failures_touch() -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.01)))
    verdict = verdict_on(no_request_lost(), rows=delayed(delayed(rows, 10, 11, 0.09), 20, 21, 3))
    assert "1 request failed while the driver itself was late by up to 90 ms" in verdict.summary
    assert verdict.figures["driver_lag_at_most_s"] == pytest.approx(3)


def test_more_than_25_ms_is_late() -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.01)))
    for lag_ns, outcome in ((LATE_NS, Outcome.VIOLATED), (LATE_NS + 1, Outcome.UNKNOWN)):
        lagging = delayed(rows, 10, 11, lag_ns / 1e9)
        assert verdict_on(no_request_lost(), rows=lagging).outcome is outcome


def test_one_pause_of_the_driver_excuses_nothing() -> None:
    """Of the 100 slots of a second, five must be late."""
    rows = steady(seconds=30, outcome=bad_between((10, 10.01)))
    for late_s, outcome in ((0.04, Outcome.VIOLATED), (0.05, Outcome.UNKNOWN)):
        lagging = delayed(rows, 10, 10 + late_s, 0.2)
        assert verdict_on(no_request_lost(), rows=lagging).outcome is outcome


def test_each_load_has_its_own_driver_and_all_its_streams_share_it() -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.1)))
    late = delayed(steady(seconds=30, load="load-2", stream="new via n1"), 10, 11, 1)
    assert verdict_on(no_request_lost(), rows=[*rows, *late]).outcome is Outcome.VIOLATED
    control = delayed(steady(seconds=30, stream="control"), 10, 11, 1)
    assert verdict_on(no_request_lost(), rows=[*rows, *control]).outcome is Outcome.UNKNOWN
    chosen = [*rows, *delayed(steady(seconds=30, stream="new via n1"), 10, 11, 1)]
    assert verdict_on(no_request_lost(stream="kept *"), rows=chosen).outcome is Outcome.UNKNOWN


def test_unsent_slots_mark_no_second_but_are_excused_like_any_other() -> None:
    rows = steady(seconds=30, outcome=bad_between((10, 10.1), outcome="unsent"))
    assert verdict_on(no_request_lost(), rows=rows).outcome is Outcome.VIOLATED
    given_up = [
        row._replace(sent_ns=row.planned_ns + SECOND_NS, end_ns=None)
        if row.outcome == "unsent"
        else row
        for row in rows
    ]
    assert verdict_on(no_request_lost(), rows=given_up).outcome is Outcome.VIOLATED
    assert verdict_on(no_request_lost(), rows=delayed(rows, 10.5, 11, 1)).outcome is Outcome.UNKNOWN


def test_a_deadline_missed_by_the_drivers_lag_is_not_charged() -> None:
    rows = steady(seconds=30)
    assert verdict_on(no_request_lost(deadline_s=0.1), rows=rows).outcome is Outcome.HELD
    late = verdict_on(no_request_lost(deadline_s=0.1), rows=delayed(rows, 10, 11, 0.5))
    assert late.outcome is Outcome.UNKNOWN
    slow = steady(seconds=30, latency_s=0.2)
    assert verdict_on(no_request_lost(deadline_s=0.1), rows=slow).outcome is Outcome.VIOLATED


def test_the_rule_holds_during_a_fault_too() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = steady(seconds=60, outcome=bad_between((12, 14)))
    for guarantee in (no_request_lost(during="nic_down"), outage(1, during="nic_down")):
        assert verdict_on(guarantee, story, rows).outcome is Outcome.VIOLATED
        assert verdict_on(guarantee, story, delayed(rows, 11, 15, 1)).outcome is Outcome.UNKNOWN
    verdict = verdict_on(no_request_lost(outside="nic_down"), story, delayed(rows, 11, 15, 1))
    assert verdict.outcome is Outcome.HELD
    assert "harness-suspect seconds" not in verdict.coverage


def test_an_outage_of_suspect_slots_is_charged_only_as_far_as_it_is_sure() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((10, 14))), 10, 14, 1.5)
    verdict = verdict_on(outage(3), rows=rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "400 requests failed while the driver itself was late by up to 1.5 s" in verdict.summary
    assert verdict.figures["outage_at_least_s"] == 0
    assert verdict.figures["outage_at_most_s"] >= 4
    assert verdict_on(outage(6), rows=rows).outcome is Outcome.HELD


def test_an_outage_that_a_suspect_stretch_lengthens_is_unknown_between_the_bounds() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((10, 14))), 12, 14, 0.1)
    for limit_s, outcome in (
        (1.5, Outcome.VIOLATED),  # 10 to 12 surely
        (3, Outcome.UNKNOWN),
        (4.5, Outcome.HELD),
    ):
        assert verdict_on(outage(limit_s), rows=rows).outcome is outcome


def test_sure_slots_on_both_sides_of_suspect_ones_are_not_one_outage() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((10, 16))), 12, 14, 0.1)
    verdict = verdict_on(outage(3), rows=rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.figures["outage_at_least_s"] == pytest.approx(1.99)
    both = verdict_on(outage(1.5), rows=rows)
    assert both.outcome is Outcome.VIOLATED
    assert both.evidence.count == 2


def test_an_outage_elsewhere_is_charged_as_ever() -> None:
    rows = delayed(steady(seconds=30, outcome=bad_between((10, 14))), 20, 22, 1)
    verdict = verdict_on(outage(3), rows=rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 1
    between = verdict_on(outage(4), rows=rows)
    assert between.outcome is Outcome.UNKNOWN
    assert "driver" not in between.summary


@pytest.mark.parametrize("stalled_at_s", [0, 12])
def test_a_driver_that_stood_still_may_have_missed_an_outage(stalled_at_s: int) -> None:
    rows = steady(seconds=30)
    for second in range(400):
        planned_s = stalled_at_s + second / 100
        rows = delayed(rows, planned_s - 1e-6, planned_s + 1e-6, stalled_at_s + 4 - planned_s)
    verdict = verdict_on(outage(3), rows=rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the driver itself was late by up to 4.0 s" in verdict.summary
    assert verdict_on(outage(4.5), rows=rows).outcome is Outcome.HELD
    assert verdict_on(no_request_lost(), rows=rows).outcome is Outcome.HELD


def test_one_straggler_among_punctual_slots_hides_no_outage() -> None:
    rows = delayed(steady(seconds=30), 10, 10.01, 6)
    assert verdict_on(outage(3), rows=rows).outcome is Outcome.HELD


def test_a_steady_small_lag_hides_no_outage() -> None:
    rows = delayed(steady(seconds=30), 0, 30, 0.1)
    assert verdict_on(outage(1), rows=rows).outcome is Outcome.HELD


def test_load_was_enough_says_when_the_whole_run_was_late() -> None:
    story = Story().fault("nic_down", "n2", 1, 29.9)
    for events in (None, story):
        verdict = verdict_on(load_was_enough(), events, delayed(steady(seconds=30), 5, 25, 6.4))
        assert verdict.outcome is Outcome.UNKNOWN
        assert "the driver was late: 1 % of the requests were sent 6400 ms or more" in (
            verdict.summary
        )
        assert verdict.coverage["harness-suspect seconds"] == 20
    brief = verdict_on(load_was_enough(), rows=delayed(steady(seconds=30), 5, 5.2, 1))
    assert brief.outcome is Outcome.HELD
    assert brief.coverage["harness-suspect seconds"] == 1
    assert brief.coverage["seconds with requests"] == 30


def test_load_was_enough_names_the_suspect_seconds_beyond_one_in_a_hundred() -> None:
    for seconds, held in ((30, False), (199, False), (200, True)):
        rows = delayed(steady(seconds=seconds, rate_per_s=20), 5, 5.05, 0.1)
        verdict = verdict_on(load_was_enough(), rows=delayed(rows, 8, 8.05, 0.2))
        assert verdict.coverage["harness-suspect seconds"] == 2
        assert (verdict.outcome is Outcome.HELD) is held
    short = steady(seconds=30, rate_per_s=20)
    for second in (3, 5, 8, 13):
        short = delayed(short, second, second + 0.05, 0.1)
    assert (
        "4 of 30 seconds are harness-suspect (at 3 s, 5 s, 8 s, …): the driver itself was late by"
        " up to 100 ms"
    ) in verdict_on(load_was_enough(), rows=short).summary
    assert verdict_on(load_was_enough(suspect_at_most=0.13), rows=short).outcome is Outcome.UNKNOWN
    assert verdict_on(load_was_enough(suspect_at_most=0.14), rows=short).outcome is Outcome.HELD


GUARANTEES: tuple[Guarantee, ...] = (
    no_request_lost(),
    availability(0.9, minimum_requests=30),
    availability(0.999, minimum_requests=30),
    outage(0.5),
    outage(2),
    outage(5),
)
spans = st.tuples(st.floats(0, 12), st.floats(0.1, 6)).map(lambda pair: (pair[0], sum(pair)))
lags = st.tuples(spans, st.floats(0, 6))


@examples(60)
@given(
    bad=st.lists(spans, max_size=3),
    how=st.sampled_from(["fail", "unknown", "unsent"]),
    stalls=st.lists(lags, min_size=1, max_size=3),
)
def test_lag_neither_clears_nor_accuses(
    bad: list[tuple[float, float]],
    how: str,
    stalls: list[tuple[tuple[float, float], float]],
) -> None:
    rows = steady(seconds=15, rate_per_s=20, outcome=bad_between(*bad, outcome=how))
    late = rows
    for (start_s, end_s), lag_s in stalls:
        late = delayed(late, start_s, end_s, lag_s)
    for guarantee in GUARANTEES:
        before = verdict_on(guarantee, rows=rows).outcome
        after = verdict_on(guarantee, rows=late).outcome
        if before is Outcome.VIOLATED:
            assert after is not Outcome.HELD
        else:
            assert after is not Outcome.VIOLATED


@examples(60)
@given(
    slots=st.lists(
        st.tuples(
            st.sampled_from(["load-1", "load-2"]),
            st.integers(0, 8_000),  # planned, ms
            st.one_of(st.none(), st.integers(0, 60)),  # lag, ms; None: unsent
            st.integers(0, 3_000),  # took, ms
            st.booleans(),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_agrees_with_looking_at_one_request_after_the_other(
    slots: list[tuple[str, int, int | None, int, bool]],
) -> None:
    template = steady(seconds=1)[0]
    rows = []
    for number, (load, planned_ms, lag_ms, took_ms, ok) in enumerate(sorted(slots, key=str)):
        planned_ns = at(planned_ms / 1000)
        sent_ns = None if lag_ms is None else planned_ns + lag_ms * 1_000_000
        rows.append(
            template._replace(
                load=load,
                slot=number,
                planned_ns=planned_ns,
                sent_ns=sent_ns,
                end_ns=None if sent_ns is None else sent_ns + took_ms * 1_000_000,
                outcome="unsent" if sent_ns is None else "ok" if ok else "fail",
            )
        )
    rows.sort(key=lambda row: row.planned_ns)
    suspect = {
        (row.load, row.planned_ns // SECOND_NS)
        for row in rows
        if row.sent_ns is not None and row.sent_ns - row.planned_ns > LATE_NS
    }

    def seconds_of(row: RequestRow) -> set[tuple[str, int]]:
        last_ns = row.planned_ns if row.end_ns is None else row.end_ns
        numbers = range(row.planned_ns // SECOND_NS, last_ns // SECOND_NS + 1)
        return {(row.load, number) for number in numbers}

    chosen = select(History.of_parts(requests=rows), no_request_lost())
    expected = [row.outcome != "ok" and bool(seconds_of(row) & suspect) for row in rows]
    assert chosen.suspicion.uncharged.tolist() == expected
    assert len(chosen.suspicion.seconds) == len(
        suspect & {second for row in rows for second in seconds_of(row)}
    )
    assert not np.any(chosen.charged & (chosen.ok | chosen.suspicion.uncharged))


def test_a_deadline_that_passed_in_punctual_seconds_is_charged_whenever_the_answer_came() -> None:
    """A service that hangs answers everything at once when it goes on, which makes the driver late.

    What had missed its deadline before that did not miss it because of the driver.
    """
    rows = [
        row._replace(end_ns=at(10.2)) if at(5) <= row.planned_ns < at(10) else row
        for row in delayed(steady(seconds=30), 10, 11, 0.5)
    ]
    assert verdict_on(outage(at_most_s=1), rows=rows).outcome is Outcome.HELD  # late, but answered
    verdict = verdict_on(outage(at_most_s=1, deadline_s=0.05), rows=rows)
    assert verdict.outcome is Outcome.VIOLATED, verdict.summary
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(5)
    assert 4.8 < verdict.figures["outage_at_least_s"] <= 5.0
