"""Requests in the windows of faults, at the ends of streams and after heals: verdicts in full."""

from chaoskit.guarantees import (
    availability,
    degradation,
    latency,
    outage,
)
from tests.corpus.requests import answered_by, bad_between, steady
from tests.corpus.story import Story
from tests.corpus.verdicts import in_full, verdict_on
from tests.unit.guarantees.requests.test_service_recovery import bad_until, check


def cut() -> Story:
    return Story().fault("nic_down", "n2", 10, 20)


BAD_LATER = answered_by(
    steady(seconds=60, rate_per_s=50, outcome=bad_between((12, 13))), lambda slot: "v1"
)


def test_recovery_in_full() -> None:
    assert in_full(check(bad_until(24))) == [
        "service_recovers_within 2: service recovers within 5 s of healed nic_down",
        (
            "HELD: stream kept via n1 of load load-1 was bad until 3.600 s (at most 3.700"
            " s) after the heal of nic_down on n2; limit 5 s"
        ),
        "disturbances: 1",
        "recoveries: 1",
        "recovery_s = 3.6",
        "recovery_at_most_s = 3.7",
    ]
    assert in_full(check(bad_until(30))) == [
        "service_recovers_within 2: service recovers within 5 s of healed nic_down",
        (
            "VIOLATED: stream kept via n1 of load load-1 was bad until 9.600 s (at most"
            " 9.700 s) after the heal of nic_down on n2; limit 5 s; stream kept via n1 of"
            " load load-1 was bad until 9.600 s (at most 9.700 s) after the heal of"
            " nic_down on n2"
        ),
        (
            "first, worst, last of 1 at 29.9 s: stream kept via n1 of load load-1 was bad"
            " until 9.600 s (at most 9.700 s) after the heal of nic_down on n2 [kept via"
            " n1, load-1, n2]"
        ),
        "disturbances: 1",
        "recoveries: 1",
        "recovery_s = 9.6",
        "recovery_at_most_s = 9.7",
    ]
    assert in_full(check(bad_until(24), calm_s=50)) == [
        "service_recovers_within 2: service recovers within 5 s of healed nic_down",
        (
            "UNKNOWN: cannot tell: stream kept via n1 was not seen without a bad slot for"
            " 50 s after the heal of nic_down on n2; stream kept via n1 of load load-1 was"
            " bad until 3.600 s (at most 3.700 s) after the heal of nic_down on n2; limit 5 s"
        ),
        "disturbances: 1",
        "recoveries: 1",
        "recovery_s = 3.6",
        "recovery_at_most_s = 3.7",
    ]


def test_recovery_that_cannot_be_told_in_full() -> None:
    assert in_full(check([])) == [
        "service_recovers_within 2: service recovers within 5 s of healed nic_down",
        ("UNKNOWN: cannot tell: no stream has planned slots after the heal of nic_down on n2"),
        "disturbances: 1",
        "recoveries: 0",
    ]
    assert in_full(check(bad_until(24), story=Story())) == [
        "service_recovers_within 2: service recovers within 5 s of healed nic_down",
        (
            "UNKNOWN: cannot tell: the fault nic_down was never injected; no healed"
            " nic_down is in the record"
        ),
        "disturbances: 0",
        "recoveries: 0",
    ]


def test_outages_in_windows_in_full() -> None:
    whole = cut()
    assert in_full(verdict_on(outage(0.5, during="nic_down"), whole, BAD_LATER)) == [
        "outage 5: no outage longer than 0.5 s during nic_down",
        (
            "VIOLATED: longest outage 0.980 s (at most 1.020 s) on stream kept via n1;"
            " limit 0.5 s; stream kept via n1 of load load-1 had no ok for 0.980 s (at"
            " most 1.020 s)"
        ),
        (
            "first, worst, last of 1 at 12 s: stream kept via n1 of load load-1 had no ok"
            " for 0.980 s (at most 1.020 s) [kept via n1, load-1]"
        ),
        "planned slots: 3000",
        "streams: 1",
        "outage_at_least_s = 0.98",
        "outage_at_most_s = 1.02",
    ]
    assert in_full(verdict_on(outage(0.5, after="nic_down"), whole, BAD_LATER)) == [
        "outage 5: no outage longer than 0.5 s after nic_down",
        ("HELD: longest outage 0.000 s (at most 0.020 s) on stream kept via n1; limit 0.5 s"),
        "planned slots: 3000",
        "streams: 1",
        "outage_at_least_s = 0",
        "outage_at_most_s = 0.02",
    ]


def test_outages_at_the_ends_of_streams_in_full() -> None:
    whole = cut()
    short = BAD_LATER[600:]
    assert in_full(verdict_on(outage(5, during="nic_down"), whole, short)) == [
        "outage 5: no outage longer than 5 s during nic_down",
        (
            "UNKNOWN: cannot tell: stream kept via n1 does not cover the whole window; an"
            " outage touches the end of its stream, so its length is not known; longest"
            " outage 0.980 s (at most ? s) on stream kept via n1; limit 5 s"
        ),
        "planned slots: 2400",
        "streams: 1",
        "outage_at_least_s = 0.98",
    ]
    open_ended = BAD_LATER[:640]
    assert in_full(verdict_on(outage(5), whole, open_ended)) == [
        "outage 5: no outage longer than 5 s",
        (
            "UNKNOWN: cannot tell: an outage touches the end of its stream, so its length"
            " is not known; longest outage 0.780 s (at most ? s) on stream kept via n1;"
            " limit 5 s"
        ),
        "planned slots: 640",
        "streams: 1",
        "outage_at_least_s = 0.78",
    ]


def test_degradation_and_latency_by_windows_in_full() -> None:
    whole = cut()
    assert in_full(verdict_on(degradation(0.9, 0.5, during="nic_down"), whole, BAD_LATER)) == [
        "degradation 3: no more than 0.5 s below 90 % ok during nic_down",
        (
            "VIOLATED: longest degradation 0.980 s (at most 3.000 s) on stream kept via"
            " n1; limit 0.5 s; stream kept via n1 of load load-1 was below 90 % ok for"
            " 0.980 s (at most 3.000 s)"
        ),
        (
            "first, worst, last of 1 at 12 s: stream kept via n1 of load load-1 was below"
            " 90 % ok for 0.980 s (at most 3.000 s) [kept via n1, load-1]"
        ),
        "planned slots: 3000",
        "streams: 1",
        "windows: 11",
        "degraded windows: 1",
        "degradation_at_least_s = 0.98",
        "degradation_at_most_s = 3",
    ]
    assert in_full(verdict_on(latency(1, outside="nic_down"), whole, BAD_LATER)) == [
        "latency 2: 99 % of requests outside nic_down answered within 1 s",
        "HELD: 0 of 2484 requests slower than 1 s or not ok (0 %; 1 % allowed)",
        "requests outside nic_down: 2484",
        "slow or not ok: 0",
        "response_quantile_of_worst_stream_s = 0.005",
        "response_p50_s = 0.005",
        "response_p90_s = 0.005",
        "response_p99_s = 0.005",
        "response_max_s = 0.005",
        "service_p50_s = 0.0049",
        "service_p90_s = 0.0049",
        "service_p99_s = 0.0049",
        "service_max_s = 0.0049",
        "slow_share = 0",
        "slow_share_of_worst_stream = 0",
    ]


def test_availability_by_windows_in_full() -> None:
    whole = cut()
    assert in_full(verdict_on(availability(0.9, during="nic_down"), whole, BAD_LATER)) == [
        "availability 4: at least 90 % of requests during nic_down ok",
        "HELD: 466 of 516 requests ok (90.31 %); not ok: at most 12.1 % at 95 %",
        "requests during nic_down: 516",
        "not ok: 50",
        "ok_ratio = 0.903101",
        "bad_share_at_most = 0.121046",
        "ok_ratio_of_worst_stream = 0.903101",
    ]
    assert in_full(verdict_on(availability(0.99, outside="nic_down"), whole, BAD_LATER)) == [
        "availability 4: at least 99 % of requests outside nic_down ok",
        "HELD: 2484 of 2484 requests ok (100 %); not ok: at most 0.1208 % at 95 %",
        "requests outside nic_down: 2484",
        "not ok: 0",
        "ok_ratio = 1",
        "bad_share_at_most = 0.00120773",
        "ok_ratio_of_worst_stream = 1",
    ]
