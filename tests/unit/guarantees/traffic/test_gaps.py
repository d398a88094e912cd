"""Gaps of one stream, slot by slot: how long each surely was, and may have been."""

import numpy as np
import pytest

from chaoskit.guarantees import no_request_lost
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.traffic.gaps import Gap, StreamSlots, gaps_in, longest_of
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import AnyEvent
from tests.corpus.driver import health
from tests.corpus.requests import steady
from tests.corpus.story import Story
from tests.corpus.verdicts import verdict_on

EVER = (0, FOREVER_NS)


def slots(told: str, *, shown: dict[int, int] | None = None) -> StreamSlots:
    """One slot each 10 ns from 100 on: `o` ok, `x` bad, `?` bad and not to be charged."""
    planned = 100 + 10 * np.arange(len(told), dtype=np.int64)
    sent = planned.copy()
    for place, time_ns in (shown or {}).items():
        sent[place] = time_ns
    return StreamSlots(
        name="s",
        load="l",
        planned_ns=planned,
        shown_ns=sent,
        ok=np.array([each == "o" for each in told]),
        charged=np.array([each == "x" for each in told]),
    )


def told(gaps: list[Gap]) -> list[tuple[Span | None, tuple[int | None, int | None], bool]]:
    return [(gap.lower, gap.upper, gap.is_suspect) for gap in gaps]


@pytest.mark.parametrize(
    "what, longer_than_ns, gaps",
    [
        ("oooo", 0, [(None, (100, 110), False)]),
        ("oxxo", 0, [(None, (100, 130), False), ((110, 120), (100, 130), False)]),
        (
            "oxxxoxxo",
            5,
            [
                (None, (100, 140), False),
                ((110, 130), (100, 140), False),
                ((150, 160), (140, 170), False),
            ],
        ),
        ("oxxxoxxo", 10, [(None, (100, 140), False), ((110, 130), (100, 140), False)]),
        ("ox?xo", 0, [(None, (100, 140), True), ((110, 110), (100, 140), True)]),
        ("o??o", 0, [(None, (100, 130), True)]),
        ("xxo", 0, [(None, (None, 120), False), ((100, 110), (None, 120), False)]),
        ("oxx", 0, [(None, (100, None), False), ((110, 120), (100, None), False)]),
        ("oooxx", 0, [(None, (120, None), False), ((130, 140), (120, None), False)]),
        ("xxx", 0, [(None, (None, None), False), ((100, 120), (None, None), False)]),
        ("o", 0, []),
        ("x", 0, [(None, (None, None), False), ((100, 100), (None, None), False)]),
    ],
)
def test_all_gaps_of_a_stream(
    what: str, longer_than_ns: float, gaps: list[tuple[Span | None, Span, bool]]
) -> None:
    found = gaps_in(slots(what), EVER, longer_than_ns=longer_than_ns, cut_at_edges=False)
    assert told(found) == gaps


@pytest.mark.parametrize(
    "span, cut, gaps",
    [
        ((0, 109), False, [(None, (100, 140), False)]),
        ((0, 110), False, [(None, (100, 140), False), ((110, 130), (100, 140), False)]),
        ((130, 135), False, [(None, (100, 140), False), ((110, 130), (100, 140), False)]),
        ((131, 135), False, [(None, (100, 140), False)]),
        ((120, 125), True, [(None, (120, 125), False), ((120, 125), (120, 125), False)]),
        ((115, 160), True, [(None, (115, 140), False), ((115, 130), (115, 140), False)]),
        ((150, 160), False, [(None, (140, 150), False)]),
        ((190, 200), False, []),
    ],
)
def test_gaps_that_touch_a_span(
    span: Span, cut: bool, gaps: list[tuple[Span | None, Span, bool]]
) -> None:
    found = gaps_in(slots("oxxxooo"), span, longer_than_ns=0, cut_at_edges=cut)
    assert told(found) == gaps


def test_a_gap_at_the_end_is_measured_from_the_last_ok() -> None:
    """40 ns in its midst, 35 from its last ok to the end of the span."""
    found = gaps_in(slots("oxxxooxx"), (0, 185), longer_than_ns=99, cut_at_edges=True)
    assert found[0].upper == (100, 140)


def test_a_driver_that_did_not_look_may_have_missed_a_gap() -> None:
    late = slots("ooooo", shown={1: 128, 2: 129})
    found = gaps_in(late, EVER, longer_than_ns=0, cut_at_edges=False)
    assert told(found) == [(None, (100, 110), False), (None, (100, 128), True)]
    beyond = gaps_in(late, (131, 140), longer_than_ns=0, cut_at_edges=False)
    assert told(beyond) == [(None, (130, 140), False)]


def test_the_longest_is_the_one_that_surely_was() -> None:
    def gap(lower: Span | None, upper: tuple[int | None, int | None]) -> Gap:
        return Gap(stream="s", load="l", lower=lower, upper=upper, is_suspect=False)

    sure, open_ended, short = gap((0, 9), (0, 10)), gap((0, 9), (0, None)), gap(None, (0, 99))
    assert longest_of([short, sure]) is sure
    assert longest_of([sure, open_ended]) is open_ended
    assert [each.is_within(10) for each in (sure, open_ended, short)] == [True, False, False]
    assert not sure.is_within(9)


def test_a_busy_driver_that_was_in_time_has_no_lag() -> None:
    rows = steady(seconds=30)
    busy: list[AnyEvent] = [health(3, 5, 0.9)]
    story = Story()
    story.events += busy
    verdict = verdict_on(no_request_lost(), story, rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["driver_lag_at_most_s"] == 0
    assert verdict.coverage["harness-suspect seconds"] == 2
