"""What a record cannot say: where parts of it are missing, and loads that are not whole."""

import pytest

from chaoskit.guarantees.damage import (
    has_all_events,
    incomplete_loads,
    lost_events,
    lost_requests,
    rows_per_load,
)
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import Damage, History
from tests.corpus.requests import load_marks, steady

EVENTS = Damage(
    file="events-a.ckl", holds="events", kind="lost", since_ns=10, until_ns=20, detail="a bad frame"
)
REQUESTS = Damage(
    file="requests-b.ckl", holds="requests", kind="torn", since_ns=30, until_ns=None, detail="torn"
)


@pytest.mark.parametrize(
    "start, end, events, requests",
    [
        (None, None, True, True),
        (None, 9, False, False),
        (None, 10, True, False),
        (20, None, True, True),
        (21, 29, False, False),
        (21, 30, False, True),
        (99, 100, False, True),
    ],
)
def test_what_may_be_missing_between_two_moments(
    start: int | None, end: int | None, events: bool, requests: bool
) -> None:
    history = History.of_parts(damage=[EVENTS, REQUESTS])
    told = ["events may be missing: events-a.ckl: a bad frame"]
    assert lost_events(history, start, end) == (told if events else [])
    told = ["requests may be missing: requests-b.ckl: torn"]
    assert lost_requests(history, start, end) == (told if requests else [])


def test_requests_lost_before_a_moment_do_not_matter_after_it() -> None:
    bounded = Damage(
        file="requests-b.ckl", holds="requests", kind="lost", since_ns=3, until_ns=5, detail="bad"
    )
    history = History.of_parts(damage=[bounded])
    assert lost_requests(history, 5, None)
    assert not lost_requests(history, 6, None)


def test_lost_requests_leave_all_events() -> None:
    assert has_all_events(History.of_parts(damage=[REQUESTS]))
    assert not has_all_events(History.of_parts(damage=[EVENTS]))


def mark(what: str, **changes: object) -> LoadMark:
    (started, stopped) = load_marks(steady(seconds=1))
    kept = started if what == "started" else stopped
    fields = {name: getattr(kept, name) for name in kept.__struct_fields__}
    return LoadMark(**{**fields, "mark": what, **changes})


@pytest.mark.parametrize("last", ["started", "steady", "stopping"])
def test_a_load_without_an_end_is_not_whole(last: str) -> None:
    history = History.of_parts(events=[mark("started"), mark(last)], requests=steady(seconds=1))
    assert incomplete_loads(history) == ["the record does not hold the end of load load-1"]


def test_a_load_that_died_says_how() -> None:
    events = [mark("started"), mark("died", detail="of a signal")]
    history = History.of_parts(events=events, requests=steady(seconds=1))
    assert incomplete_loads(history) == ["load load-1 died of a signal"]
    events = [mark("started"), mark("died")]
    history = History.of_parts(events=events, requests=steady(seconds=1))
    assert incomplete_loads(history) == ["load load-1 died"]


def test_a_load_needs_a_request_for_each_slot() -> None:
    rows = steady(seconds=1)
    for planned, doubts in ((100, []), (99, []), (101, ["100 requests for 101 planned slots"])):
        history = History.of_parts(events=load_marks(rows, planned=planned), requests=rows)
        assert incomplete_loads(history) == [f"load load-1 has {doubt}" for doubt in doubts]
    one_slot = History.of_parts(events=load_marks(rows, planned=1))
    assert incomplete_loads(one_slot) == ["load load-1 has 0 requests for 1 planned slots"]
    nothing = History.of_parts(events=load_marks(rows))
    assert incomplete_loads(nothing) == ["load load-1 has 0 requests for 100 planned slots"]


def test_each_load_is_counted_for_itself() -> None:
    rows = [*steady(seconds=1), *steady(seconds=2, load="load-2")]
    assert rows_per_load(History.of_parts(requests=rows)) == {"load-1": 100, "load-2": 200}
    assert rows_per_load(History.of_parts()) == {}
