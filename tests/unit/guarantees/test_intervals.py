"""Spans, and rows in blocks: the same as looking at each moment, or at all at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.guarantees import (
    availability,
    degradation,
    latency,
    load_was_enough,
    no_request_lost,
    outage,
)
from chaoskit.guarantees.intervals import (
    Span,
    blocks,
    counted,
    length_ns,
    places,
    shared,
    touching,
    united,
    without,
)
from chaoskit.guarantees.judge import judge
from chaoskit.history.events import AnyEvent
from chaoskit.history.reader import History
from tests.corpus.driver import calibrated
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, load_marks, steady

span_lists = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=5)


def moments(spans: list[Span]) -> set[int]:
    """The moments in any of them, their ends left out."""
    return {moment for start, end in spans for moment in range(start, end)}


@pytest.mark.parametrize(
    "spans, expected",
    [
        ([], []),
        ([(3, 3), (5, 4)], []),
        ([(5, 7), (1, 2)], [(1, 2), (5, 7)]),
        ([(1, 4), (2, 3)], [(1, 4)]),
        ([(1, 3), (3, 5)], [(1, 5)]),
        ([(1, 3), (4, 5)], [(1, 3), (4, 5)]),
        ([(1, 3), (2, 6), (6, 7), (9, 10)], [(1, 7), (9, 10)]),
    ],
)
def test_spans_that_meet_are_one(spans: list[Span], expected: list[Span]) -> None:
    assert united(spans) == expected


@pytest.mark.parametrize(
    "first, second, both, rest",
    [
        ([(1, 5)], [], [], [(1, 5)]),
        ([(1, 5)], [(2, 3)], [(2, 3)], [(1, 2), (3, 5)]),
        ([(1, 5)], [(0, 9)], [(1, 5)], []),
        ([(1, 5)], [(5, 9)], [], [(1, 5)]),
        ([(1, 5), (7, 9)], [(4, 8)], [(4, 5), (7, 8)], [(1, 4), (8, 9)]),
        ([(1, 5), (3, 9)], [(1, 2), (4, 6)], [(1, 2), (4, 6)], [(2, 4), (6, 9)]),
    ],
)
def test_what_is_shared_and_what_is_left(
    first: list[Span], second: list[Span], both: list[Span], rest: list[Span]
) -> None:
    assert shared(first, second) == both
    assert without(first, second) == rest


def test_overlapping_moments_count_once() -> None:
    assert length_ns([(1, 5), (3, 7), (9, 10)]) == 7


@examples(100)
@given(first=span_lists, second=span_lists)
def test_spans_agree_with_sets_of_moments(first: list[Span], second: list[Span]) -> None:
    assert moments(united(first)) == moments(first)
    assert moments(shared(first, second)) == moments(first) & moments(second)
    assert moments(without(first, second)) == moments(first) - moments(second)
    assert length_ns(first) == len(moments(first))


def test_touching_counts_both_ends() -> None:
    starts, ends = np.array([0, 4, 5, 9, 10, 3]), np.array([1, 5, 6, 9, 12, 20])
    assert touching(starts, ends, [(5, 9), (7, 8)]).tolist() == [
        *(False, True, True),
        *(True, False, True),
    ]
    apart = touching(starts, ends, [(10, 11), (0, 1)])
    assert apart.tolist() == [True, False, False, False, True, True]
    assert not touching(starts, ends, []).any()


@pytest.mark.parametrize("rows, expected", [(0, []), (3, [(0, 3)]), (7, [(0, 3), (3, 6), (6, 7)])])
def test_blocks_are_all_rows_once(
    rows: int, expected: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaoskit.guarantees.intervals._BLOCK", 3)
    assert [(block.start, block.stop) for block in blocks(rows)] == expected


def test_counts_and_places_are_those_of_all_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaoskit.guarantees.intervals._BLOCK", 3)
    codes = np.array([2, 0, 2, 2, 4, 0, 2], dtype=np.int16)
    assert counted(codes, 6).tolist() == [2, 0, 4, 0, 1, 0]
    assert counted(codes[:0], 2).tolist() == [0, 0]
    assert places(codes == 2).tolist() == [0, 2, 3, 6]
    assert places(codes > 9).tolist() == []


@pytest.mark.parametrize("size", [1, 7, 64])
def test_verdicts_do_not_depend_on_the_size_of_a_block(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = steady(seconds=20, rate_per_s=20, outcome=bad_between((5, 6.3), (12, 12.2)))
    new = steady(seconds=20, rate_per_s=20, stream="new via n1", connection="new", load="load-2")
    rows = [*delayed(calm, 6, 8, 0.9), *delayed(new, 7, 7.5, 0.1)]
    events: list[AnyEvent] = [
        *load_marks(calm),
        *load_marks(new),
        calibrated(kept_per_s=39, new_per_s=1000),
    ]
    claims = (
        availability(0.9),
        no_request_lost(connection="kept"),
        outage(1.0),
        degradation(below=0.9, at_most_s=2),
        latency(0.5, quantile=0.9),
        load_was_enough(),
    )
    whole = judge(History.of_parts(events=events, requests=rows), claims)
    monkeypatch.setattr("chaoskit.guarantees.intervals._BLOCK", size)
    assert judge(History.of_parts(events=events, requests=rows), claims) == whole
