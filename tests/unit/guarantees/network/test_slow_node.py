"""slow_node_named: the answers alone tell which node is slow."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import slow_node_named
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.requests import RequestRow
from tests.corpus.requests import load_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

NAMED = slow_node_named("n2", phase="slow", before="as usual", by_at_least_s=0.15)


def answered(**slower_s: float) -> list[RequestRow]:
    """Answers of n1, n2, n3 in turn, which come in through n1; from 30 s on each takes longer."""
    rows = []
    for row in steady(seconds=60, rate_per_s=60):
        node = f"n{2 + row.slot % 2}"
        later_ns = round(slower_s.get(node, 0) * 1e9) if row.planned_ns >= at(30) else 0
        assert row.end_ns is not None
        rows.append(row._replace(node=node, end_ns=row.end_ns + later_ns))
    return rows


def told(rows: list[RequestRow]) -> Story:
    story = Story().phase("as usual", 5, 25).phase("slow", 35, 55)
    story.events.extend(load_marks(rows))
    return story


def test_the_slow_node_stands_out() -> None:
    rows = answered(n2=0.2, n3=0.01)
    verdict = verdict_on(NAMED, told(rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "n2 answers 200 ms later than before, others at most 10 ms"


@pytest.mark.parametrize(
    "slower, text",
    [
        ({"n3": 0.2}, "it is n3, not n2"),
        ({"n2": 0.2, "n3": 0.15}, "n2 does not stand out alone"),
        ({"n2": 0.1}, "no node stands out"),
        ({}, "no node stands out"),
    ],
)
def test_another_or_none_is_the_witness(slower: dict[str, float], text: str) -> None:
    rows = answered(**slower)
    assert text in first(verdict_on(NAMED, told(rows), rows))[1]


def test_answers_that_came_in_through_their_own_node_are_left_out() -> None:
    rows = [row._replace(entry="n2") for row in answered(n2=0.2)]
    assert verdict_on(NAMED, told(rows), rows).outcome is Outcome.UNKNOWN


def test_unknown_without_phases_or_answers() -> None:
    rows = answered(n2=0.2)
    assert verdict_on(NAMED, Story()).outcome is Outcome.UNKNOWN
    assert verdict_on(NAMED, None, rows).outcome is Outcome.UNKNOWN
    story = Story().phase("as usual", 5, 5.2).phase("slow", 35, 55)
    story.events.extend(load_marks(rows))
    assert verdict_on(NAMED, story, rows).outcome is Outcome.UNKNOWN


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="positive"):
        slow_node_named("n2", phase="a", before="b", by_at_least_s=0)
