"""Requests counted into buckets: nothing lost, nothing counted twice, control apart."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.history.reader import History
from chaoskit.history.requests import OUTCOMES, REQUESTS, RequestRow
from chaoskit.report.axis import axis_over
from chaoskit.report.buckets import Buckets, count
from tests.unit.report.synthetic import (
    at,
)


def row(second: float, **changes: Any) -> RequestRow:
    plain = RequestRow(
        load="l1",
        stream="kept via a",
        connection="kept",
        entry="a",
        slot=0,
        operation="read",
        planned_ns=at(second),
        sent_ns=at(second),
        connected_ns=None,
        end_ns=at(second) + 4_000_000,
        outcome="ok",
        revision="r1",
    )
    return plain._replace(**changes)


def counted(*rows: RequestRow, seconds: float = 10) -> Buckets:
    axis = axis_over([at(0), at(seconds)], left_px=0, width_px=100)
    return count(History.of_parts(requests=rows).requests, axis)


def test_an_empty_table_has_no_stream() -> None:
    axis = axis_over([at(0), at(10)], left_px=0, width_px=100)
    assert count(REQUESTS.empty_table(), axis).streams == ()


def test_a_bucket_says_how_many_were_ok_and_why_others_were_not() -> None:
    refused = row(2.2, outcome="fail", error="refused")
    unsent = row(2.9, outcome="unsent", sent_ns=None, end_ns=None)
    buckets = counted(row(2.1), refused, refused, unsent, row(3.0))
    (stream,) = buckets.streams
    assert stream.planned[2:4].tolist() == [4, 1]
    assert stream.ok[2:4].tolist() == [1, 1]
    assert stream.why == {2: {"refused": 2, "unsent": 1}}


def test_latency_is_counted_from_the_planned_time_by_nearest_rank() -> None:
    rows = [row(1.0, end_ns=at(1.0) + ms * 1_000_000) for ms in range(1, 101)]
    late = row(1.5, sent_ns=at(1.9), end_ns=at(1.95), outcome="fail")
    buckets = counted(*rows, late)
    assert buckets.response.p50_ms[1] == 50
    assert buckets.response.p99_ms[1] == 99
    assert np.isnan(buckets.response.p99_ms[0])


def test_control_streams_say_nothing_about_the_service() -> None:
    buckets = counted(row(1.0), row(1.0, stream="control", end_ns=at(1.9), revision="c"))
    assert [s.stream for s in buckets.streams] == ["control", "kept via a"]
    assert buckets.planned[1] == buckets.ok[1] == 1
    assert buckets.response.p99_ms[1] == 4
    assert list(buckets.revisions) == ["r1"]


@given(
    st.lists(
        st.tuples(st.floats(-2, 12), st.sampled_from(OUTCOMES), st.sampled_from(["a", "b"])),
        max_size=40,
    )
)
def test_every_request_is_counted_once(drawn: list[tuple[float, str, str]]) -> None:
    rows = [row(second, outcome=outcome, stream=stream) for second, outcome, stream in drawn]
    buckets = counted(*rows)
    assert buckets.planned.sum() == len(rows)
    assert buckets.ok.sum() == sum(1 for r in rows if r.outcome == "ok")
    others = sum(n for s in buckets.streams for why in s.why.values() for n in why.values())
    assert others == len(rows) - buckets.ok.sum()
