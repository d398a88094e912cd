"""Harness-suspect seconds by what the driver says of itself, and by what it can send."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.traffic.driver_health import suspect_seconds_of
from chaoskit.guarantees.traffic.suspect import SuspectSeconds, Trouble, suspicion
from chaoskit.history.events import AnyEvent
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from tests.corpus.driver import calibrated, closed, health
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, load_marks, steady
from tests.corpus.times import at

SECOND_NS = 1_000_000_000


def seconds_of(rows: Sequence[RequestRow], *events: AnyEvent) -> SuspectSeconds:
    return suspect_seconds_of(History.of_parts(requests=rows, events=events))


def starts_s(seconds: SuspectSeconds) -> list[float]:
    return [(start - at(0)) / 1e9 for start in seconds.starts_ns().tolist()]


def test_a_punctual_idle_driver_is_not_suspect() -> None:
    for seconds in (
        seconds_of(steady(seconds=30)),
        seconds_of(steady(seconds=30), calibrated(250, 100), health(0, 30, 0.8)),
    ):
        assert len(seconds) == 0
        assert seconds.spans_of(0) == []


def test_a_second_is_busy_when_its_middle_was() -> None:
    rows = steady(seconds=30)
    for since_s, until_s, busy in (
        (3.2, 4.2, [3]),
        (3.5, 4.5, [3]),
        (3.6, 4.6, [4]),
        (3.2, 6.2, [3, 4, 5]),
        (3.6, 4.4, []),
    ):
        assert starts_s(seconds_of(rows, health(since_s, until_s, 0.81))) == busy
    assert starts_s(seconds_of(rows, health(3, 4, 0.81, load="load-9"))) == []


def test_more_than_half_of_the_ceiling_is_too_much() -> None:
    kept, new = (
        steady(seconds=5, rate_per_s=100, stream=f"{connection} via n1", connection=connection)
        for connection in ("kept", "new")
    )
    every_second = [0, 1, 2, 3, 4]
    for kept_per_s, new_per_s, over in (
        (400, 400, []),  # half of it: 0.25 and 0.25
        (401, 399, []),
        (390, 390, every_second),
        (10_000, 199, every_second),
        (199, 10_000, every_second),
        (10_000, 0, every_second),
    ):
        seconds = seconds_of([*kept, *new], calibrated(kept_per_s, new_per_s))
        assert starts_s(seconds) == over, (kept_per_s, new_per_s)
    assert starts_s(seconds_of(kept, calibrated(1000, 0))) == []


def test_a_second_may_hold_one_slot_more_than_the_rate() -> None:
    rows = steady(seconds=5, rate_per_s=100)
    extra = [*rows, rows[220]._replace(slot=1000)]
    assert starts_s(seconds_of(extra, calibrated(200, 200))) == []
    assert starts_s(seconds_of([*extra, rows[220]], calibrated(200, 200))) == [2]


def test_the_last_calibration_counts_and_unsent_slots_were_asked_for_too() -> None:
    rows = steady(seconds=5, outcome=lambda _second: "unsent")
    again = [calibrated(1000, 1000), calibrated(150, 150)]
    assert len(seconds_of(rows, *again)) == 5
    assert len(seconds_of(rows, *reversed(again))) == 0
    assert len(seconds_of([], *again)) == 0


def test_the_sampler_was_not_calibrated() -> None:
    rows = steady(seconds=5, load="sampler-load-1", stream="sampler new via n1", connection="new")
    marks = load_marks(rows)
    assert len(seconds_of(rows, calibrated(100, 100), *marks)) == 0
    assert len(seconds_of(rows, calibrated(100, 100))) == 5


def test_lateness_says_nothing_in_a_closed_loop() -> None:
    rows = delayed(steady(seconds=10), 3, 5, 0.2)
    assert starts_s(seconds_of(rows)) == [3, 4]
    assert starts_s(seconds_of(rows, closed())) == []
    assert starts_s(seconds_of(rows, closed("load-2"))) == [3, 4]
    assert starts_s(seconds_of(rows, closed(), health(3, 4, 0.9))) == [3]


def test_the_reasons_are_told_together() -> None:
    rows = delayed(steady(seconds=10), 3, 5, 1.5)
    seconds = seconds_of(rows, calibrated(150, 150), health(3, 4, 0.9), health(20, 21, 0.9))
    assert len(seconds) == 11
    late, busy, over = Trouble.LATE, Trouble.BUSY, Trouble.OVER_RATE
    assert seconds.troubles[[2, 3, 4, 10]].tolist() == [over, late | over | busy, late | over, busy]
    assert seconds.lag_ns[[2, 3, 4]].tolist() == [0, 1_500_000_000, 1_500_000_000]
    assert seconds.in_words() == (
        "the driver itself was late by up to 1.5 s and was asked for more than half of what it"
        " can send and used more than 80% of a core"
    )
    assert seconds.spans_of(0) == [(at(0), at(10) - 1), (at(20), at(21) - 1)]


def test_what_failed_beside_a_busy_driver_is_not_charged() -> None:
    rows = steady(seconds=10, outcome=bad_between((3, 3.1), (7, 7.1)))
    history = History.of_parts(requests=rows, events=[health(3, 4, 0.9)])
    loads, planned = text_column(history, "load").codes, integers(history, "planned_ns")
    ok = text_column(history, "outcome").is_like("ok")
    found = suspicion(
        seconds_of(rows, health(3, 4, 0.9)), loads, planned, integers(history, "end_ns"), ok
    )
    assert np.count_nonzero(found.uncharged) == 10
    assert found.failures() == [
        "10 requests failed while the driver itself used more than 80% of a core: the machine was"
        " too busy to tell"
    ]


def test_what_cannot_be_is_an_error() -> None:
    rows = steady(seconds=3)
    with pytest.raises(RecordError, match=r"calibration: has a rate below 0\n  seen: \(-1, 100\)"):
        seconds_of(rows, calibrated(-1, 100))
    with pytest.raises(RecordError, match="health of load load-1: ends before it begins"):
        seconds_of(rows, health(2, 1, 0.1))


@examples(60)
@given(
    slots=st.lists(
        st.tuples(
            st.sampled_from(["load-1", "load-2"]),
            st.sampled_from(["kept", "new"]),
            st.integers(0, 4_000),  # planned, ms
        ),
        min_size=1,
        max_size=60,
    ),
    kept_per_s=st.integers(1, 60),
    new_per_s=st.integers(1, 60),
)
def test_agrees_with_counting_slot_by_slot(
    slots: list[tuple[str, str, int]], kept_per_s: int, new_per_s: int
) -> None:
    template = steady(seconds=1)[0]
    rows = [
        template._replace(
            load=load,
            connection=connection,
            slot=number,
            planned_ns=at(planned_ms / 1000),
            sent_ns=at(planned_ms / 1000),
            end_ns=at(planned_ms / 1000),
        )
        for number, (load, connection, planned_ms) in enumerate(slots)
    ]
    counts: dict[tuple[str, int], dict[str, int]] = {}
    for row in rows:
        of_second = counts.setdefault(
            (row.load, row.planned_ns // SECOND_NS), {"kept": 0, "new": 0}
        )
        of_second[row.connection] += 1
    expected = {
        second
        for second, count in counts.items()
        if (count["kept"] / kept_per_s + count["new"] / new_per_s) * (1 - 1 / sum(count.values()))
        > 0.5
    }
    history = History.of_parts(requests=rows)
    names = text_column(history, "load").values
    found = seconds_of(rows, calibrated(kept_per_s, new_per_s))
    told = {
        (name, start // SECOND_NS + step)
        for code, name in enumerate(names)
        for start, end in found.spans_of(code)
        for step in range((end - start) // SECOND_NS + 1)
    }
    assert told == expected
