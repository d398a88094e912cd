"""nothing_left: faults that are healed leave no trace."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import nothing_left
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import TracesCompared
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

HELD = nothing_left(faults=2)


def compared(*lines: str, faults: int = 2, since_s: float = 5, proved: bool = True) -> Story:
    """Faults from 10 s on, healed by 20, and a comparison at 25."""
    story = Story()
    for number in range(faults):
        story.fault("loss", f"n{number}", 10 + number, 20, proved=proved)
    story.events.append(TracesCompared(time_ns=at(25), since_ns=at(since_s), lines=list(lines)))
    return story


def test_faults_that_leave_nothing_hold() -> None:
    verdict = verdict_on(HELD, compared())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"faults healed": 2, "comparisons": 1}


def test_what_is_left_is_the_witness() -> None:
    left = "node n1: queues: + tbf rate 1Mbit"
    assert first(verdict_on(HELD, compared(left)))[:2] == (at(25), left)


def test_unknown_without_comparison_faults_proof_or_sight() -> None:
    for story in (
        Story(),
        compared(faults=1),
        compared(since_s=15),
        compared(proved=False),
        compared("node n1: tables: + cannot be read: engine is not local"),
    ):
        assert verdict_on(HELD, story).outcome is Outcome.UNKNOWN


def test_a_comparison_that_ends_before_it_began_is_an_error() -> None:
    with pytest.raises(RecordError, match="before it began"):
        verdict_on(HELD, compared(since_s=30))
