"""What several processes say of one load, taken together."""

from typing import Any

import msgspec

from chaoskit.load.merged import merged_health, merged_summary
from chaoskit.load.messages import Health, LoadSummary, StreamHealth


def _health(**changes: Any) -> Health:
    values: dict[str, Any] = {
        "time_ns": 100, "turn": 1, "steady": True, "planned": 10, "sent": 9, "ok": 6, "fail": 2,
        "unknown": 1, "unsent": 1, "in_flight": 3, "lag_max_ms": 4.0, "cpu_share": 0.25,
        "streams": {"a": StreamHealth(planned=10, ok=6)}, "unserved": 1,
    }  # fmt: skip
    return Health(**(values | changes))


def _summary(**changes: Any) -> LoadSummary:
    values: dict[str, Any] = {
        "turn": 1, "load_id": "load-1", "planned": 4, "sent": 3, "ok": 1, "fail": 1, "unknown": 1,
        "unsent": 1, "lag_p50_ms": 1.0, "lag_p99_ms": 2.0, "lag_max_ms": 2.5, "duration_s": 5.0,
        "cpu_share": 0.5, "ended_by": "stop", "lags": {1_000: 2, 2_000: 1},
    }  # fmt: skip
    return LoadSummary(**(values | changes))


def test_counts_are_added_and_the_worst_is_kept() -> None:
    streams = {"a": StreamHealth(planned=2, ok=1, last_error="reset in wait"),
               "b": StreamHealth(planned=3, ok=3)}  # fmt: skip
    other = _health(time_ns=90, planned=5, lag_max_ms=9.0, streams=streams, unserved=2)
    both = merged_health([_health(), other])
    assert both == _health(
        time_ns=90, planned=15, sent=18, ok=12, fail=4, unknown=2, unsent=2, in_flight=6,
        lag_max_ms=9.0, cpu_share=0.5, unserved=3,
        streams={"a": StreamHealth(planned=12, ok=7, last_error="reset in wait"),
                 "b": StreamHealth(planned=3, ok=3)},
    )  # fmt: skip


def test_one_that_is_not_steady_is_enough_against_it() -> None:
    both = merged_health([_health(), _health(steady=False)])
    assert both is not None
    assert not both.steady


def test_nothing_is_known_before_all_have_spoken() -> None:
    assert merged_health([_health(), None]) is None
    assert merged_summary([None, _summary()]) is None


def test_quantiles_are_those_of_all_lags() -> None:
    late = _summary(lags={50_000: 3}, lag_max_ms=50.5, duration_s=6.0, ended_by="max_run_s")
    both = merged_summary([_summary(), late])
    assert both == msgspec.structs.replace(
        _summary(), planned=8, sent=6, ok=2, fail=2, unknown=2, unsent=2, lag_p50_ms=2.0,
        lag_p99_ms=50.0, lag_max_ms=50.5, duration_s=6.0, cpu_share=1.0,
        ended_by="max_run_s, stop", lags={1_000: 2, 2_000: 1, 50_000: 3},
    )  # fmt: skip


def test_one_process_speaks_for_itself() -> None:
    health, summary = _health(), _summary()
    assert merged_health([health]) is health
    assert merged_summary([summary]) is summary
