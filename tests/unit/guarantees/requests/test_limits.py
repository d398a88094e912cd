"""Where claims about requests begin and end, and further verdicts in full."""

from typing import Any

import numpy as np
import pytest

from chaoskit.guarantees import (
    availability,
    degradation,
    failing_at_once,
    latency,
    no_request_lost,
    only_versions,
    outage,
    requests_lost,
    service_recovers_within,
    traffic_split,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.requests.failing_at_once import _most, _runs
from chaoskit.guarantees.requests.latency import _quantiles_s
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.requests import RequestRow
from tests.corpus.requests import answered_by, bad_between, delayed, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_EVENTS, LOST_REQUESTS, first, in_full, verdict_on
from tests.unit.guarantees.requests.test_failing_at_once import ONE, answers_of
from tests.unit.guarantees.requests.test_loss import lost, marked


def cut() -> Story:
    return Story().fault("nic_down", "n2", 10, 20)


FINE = answered_by(steady(seconds=60, rate_per_s=50), lambda slot: "v1")


BAD_LATER = answered_by(
    steady(seconds=60, rate_per_s=50, outcome=bad_between((12, 13))), lambda slot: "v1"
)


HELD: list[tuple[Guarantee, list[RequestRow]]] = [
    (availability(0.99, outside="nic_down"), FINE),
    (availability(0.5, during="nic_down"), FINE),
    (no_request_lost(outside="nic_down"), FINE),
    (requests_lost(1, during="nic_down"), BAD_LATER),
    (latency(1, during="nic_down"), FINE),
    (outage(5, during="nic_down"), FINE),
    (outage(5, after="nic_down"), FINE),
    (degradation(0.9, 5, during="nic_down"), FINE),
    (only_versions(["v1"], during="nic_down"), FINE),
    (traffic_split({"v1": 1.0}, during="nic_down", connection=None), FINE),
    (service_recovers_within(5, after="nic_down"), FINE),
]


@pytest.mark.parametrize("guarantee, rows", HELD)
def test_nothing_holds_where_proof_or_parts_of_the_record_are_missing(
    guarantee: Guarantee, rows: list[RequestRow]
) -> None:
    held = verdict_on(guarantee, cut(), rows)
    assert held.outcome is Outcome.HELD, held.summary
    unproved = Story().fault("nic_down", "n2", 10, 20, proved=False)
    cases: list[tuple[Story, Any]] = [(cut(), LOST_EVENTS), (unproved, None), (Story(), None)]
    if guarantee in (HELD[0][0], HELD[2][0], HELD[6][0], HELD[10][0]):
        cases.append((cut(), LOST_REQUESTS))
    for story, damage in cases:
        verdict = verdict_on(guarantee, story, rows, *([damage] if damage else []))
        assert verdict.outcome is Outcome.UNKNOWN, (guarantee, damage)


@pytest.mark.parametrize(
    "guarantee",
    [
        availability(0.5, phase="p"),
        no_request_lost(phase="p"),
        requests_lost(1, phase="p"),
        latency(1, phase="p"),
        outage(5, phase="p"),
        degradation(0.9, 5, phase="p"),
        only_versions(["v1"], phase="p"),
        traffic_split({"v1": 1.0}, phase="p", connection=None),
        failing_at_once(1, phase="p"),
    ],
)
def test_a_phase_without_an_end_or_not_there_is_unknown(guarantee: Guarantee) -> None:
    for story in (Story().phase("p", 10, None), Story().phase("q", 10, 20)):
        assert verdict_on(guarantee, story, FINE).outcome is Outcome.UNKNOWN


def test_losses_in_full() -> None:
    assert in_full(verdict_on(requests_lost(1, 30), marked(lost(20)), lost(20))) == [
        "requests_lost 2: at least 1 and at most 30 requests lost",
        "HELD: 20 of 3000 requests not ok",
        "requests: 3000",
        "not ok: 20",
    ]
    assert in_full(verdict_on(requests_lost(1, 10), marked(lost(20)), lost(20))) == [
        "requests_lost 2: at least 1 and at most 10 requests lost",
        (
            "VIOLATED: 20 of 3000 requests not ok; slot 1000: read on stream kept via n1:"
            " fail (refused connect)"
        ),
        (
            "first, worst of 20 at 10 s: slot 1000: read on stream kept via n1: fail"
            " (refused connect) [kept via n1]"
        ),
        (
            "last of 20 at 10.19 s: slot 1019: read on stream kept via n1: fail (refused"
            " connect) [kept via n1]"
        ),
        "requests: 3000",
        "not ok: 20",
    ]
    assert in_full(verdict_on(requests_lost(30), marked(lost(20)), lost(20))) == [
        "requests_lost 2: at least 30 requests lost",
        ("VIOLATED: 20 of 3000 requests not ok; 20 requests lost, where at least 30 must be"),
        ("first, worst, last of 1 at 29.99 s: 20 requests lost, where at least 30 must be []"),
        "requests: 3000",
        "not ok: 20",
    ]
    few = steady(seconds=0.5)
    assert in_full(verdict_on(requests_lost(1), marked(few), few)) == [
        "requests_lost 2: at least 1 requests lost",
        ("UNKNOWN: cannot tell: 50 requests are too few (100 needed); 0 of 50 requests not ok"),
        "requests: 50",
        "not ok: 0",
    ]


def test_just_enough_requests_to_miss_losses_among() -> None:
    rows = lost(0)[:100]
    assert verdict_on(requests_lost(1), marked(rows), rows).outcome is Outcome.VIOLATED
    for count, outcome in ((1, Outcome.HELD), (2, Outcome.VIOLATED)):
        rows = lost(count)
        assert verdict_on(requests_lost(1, 1), marked(rows), rows).outcome is outcome


def both() -> list[RequestRow]:
    return [*answers_of("kv-1", (5, 8)), *answers_of("kv-0", (7, 13))]


def test_failing_at_once_in_full() -> None:
    assert in_full(verdict_on(ONE, rows=both())) == [
        "failing_at_once 2: at most 1 pods fail at once",
        "VIOLATED: 2 pods failed, 2 to 2 at once; 2 pods failed at once: kv-0, kv-1",
        ("first, worst, last of 1 at 7.005 s: 2 pods failed at once: kv-0, kv-1 [kv-0, kv-1]"),
        "pods that failed: 2",
        "failing_at_once_at_least = 2",
        "failing_at_once_at_most = 2",
    ]
    assert in_full(verdict_on(failing_at_once(2), rows=both())) == [
        "failing_at_once 2: at most 2 pods fail at once",
        "HELD: 2 pods failed, 2 to 2 at once",
        "pods that failed: 2",
        "failing_at_once_at_least = 2",
        "failing_at_once_at_most = 2",
    ]
    assert in_full(verdict_on(ONE)) == [
        "failing_at_once 2: at most 1 pods fail at once",
        ("UNKNOWN: cannot tell: no pod answered with an error; 0 pods failed, 0 to 0 at once"),
        "pods that failed: 0",
        "failing_at_once_at_least = 0",
        "failing_at_once_at_most = 0",
    ]


def test_runs_of_a_pods_errors_from_both_sides() -> None:
    ok = np.array([False, True, False, False, True, False])
    sent, end = np.arange(6) * 10, np.arange(6) * 10 + 3
    assert _runs(ok, sent, end) == [
        ((3, 0), (0, 13)),
        ((23, 30), (10, 43)),
        ((53, 50), (40, 53)),
    ]


def test_the_most_at_once() -> None:
    assert _most([]) == (0, 0, set())
    assert _most([((1, 5), "a"), ((5, 9), "b")]) == (1, 1, {"a"})
    assert _most([((1, 6), "a"), ((5, 9), "b"), ((2, 9), "a")]) == (2, 5, {"a", "b"})
    assert _most([((1, 9), "a"), ((2, 3), "a"), ((4, 5), "b")]) == (2, 4, {"a", "b"})


def test_an_outage_of_just_the_limit_is_none() -> None:
    rows = steady(seconds=12, rate_per_s=10, outcome=bad_between((5, 5.35)))
    for limit_s, outcome in (
        (0.5, Outcome.HELD),
        (0.499, Outcome.UNKNOWN),
        (0.29, Outcome.VIOLATED),
    ):
        verdict = verdict_on(outage(limit_s), None, rows)
        assert verdict.outcome is outcome, verdict.summary
    assert first(verdict)[0] == at(5)


def test_windows_of_another_fault_do_not_count() -> None:
    rows = steady(seconds=60, rate_per_s=50, outcome=bad_between((32, 35)))
    story = cut().fault("loss", "n1", 30, 40)
    for guarantee in (
        outage(0.5, during="nic_down"),
        degradation(0.9, 0.5, during="nic_down"),
        availability(0.99, during="nic_down"),
        no_request_lost(during="nic_down"),
    ):
        assert verdict_on(guarantee, story, rows).outcome is Outcome.HELD, guarantee
    assert first(verdict_on(outage(0.5, during="loss"), story, rows))[0] == at(32)
    unproved = cut().fault("loss", "n1", 30, 40, proved=False)
    assert verdict_on(outage(0.5, during="nic_down"), unproved, rows).outcome is Outcome.HELD


def test_quantiles_are_those_of_the_requests_there_were() -> None:
    times = np.array([5, 1, 3, 2, 4], dtype=np.int64) * 1_000_000_000
    assert list(_quantiles_s(times, 0.0001, 0.2, 0.21, 0.5, 0.99, 1.0)) == [1, 1, 2, 3, 5, 5]
    assert list(_quantiles_s(np.array([5_000_000_000]), 0.5)) == [5]


def test_a_share_that_is_just_met_is_kept() -> None:
    for bad_s, outcome in ((0.3, Outcome.HELD), (0.31, Outcome.VIOLATED)):
        rows = steady(seconds=3, outcome=bad_between((1, 1 + bad_s)))
        assert verdict_on(availability(0.9), None, rows).outcome is outcome
        late = verdict_on(availability(0.9), None, delayed(rows, 1, 2, 0.5))
        assert (late.outcome is Outcome.HELD) is (outcome is Outcome.HELD)
    second_with_nine_of_ten = steady(seconds=12, rate_per_s=10, outcome=bad_between((5, 5.05)))
    calm = verdict_on(degradation(below=0.9, at_most_s=0.1), None, second_with_nine_of_ten)
    assert (calm.outcome, calm.summary) == (Outcome.HELD, "no second below 90 % ok")


def test_a_stream_that_ends_within_the_window_does_not_cover_it() -> None:
    verdict = verdict_on(outage(5, during="nic_down"), cut(), FINE[:750])
    assert verdict.outcome is Outcome.UNKNOWN
    assert "stream kept via n1 does not cover the whole window" in verdict.summary
    phase = verdict_on(outage(5, phase="p"), Story().phase("p", 10, None), FINE[:750])
    assert "does not cover" not in phase.summary
