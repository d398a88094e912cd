"""requests_lost: where some requests must be lost, so many and no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import requests_lost
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import Damage
from chaoskit.history.requests import RequestRow
from tests.corpus.requests import bad_between, delayed, load_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def lost(count: int) -> list[RequestRow]:
    """3,000 requests at 100 a second, of which so many from 10 s on are lost."""
    return steady(seconds=30, outcome=bad_between((10, 10 + count / 100)))


def marked(rows: list[RequestRow]) -> Story:
    story = Story()
    story.events += load_marks(rows)
    return story


@given(count=st.integers(0, 60), least=st.integers(1, 30), more=st.none() | st.integers(0, 30))
def test_held_between_the_two_bounds_and_nowhere_else(
    count: int, least: int, more: int | None
) -> None:
    most = None if more is None else least + more
    rows = lost(count)
    verdict = verdict_on(requests_lost(least, most), marked(rows), rows)
    is_held = least <= count and (most is None or count <= most)
    assert verdict.outcome is (Outcome.HELD if is_held else Outcome.VIOLATED), verdict.summary


def test_the_first_of_too_many_is_the_witness() -> None:
    rows = lost(20)
    verdict = verdict_on(requests_lost(1, 10), marked(rows), rows)
    assert first(verdict)[0] == at(10)
    assert verdict.evidence.count == 20


def test_too_few_say_how_many_had_to_be() -> None:
    rows = lost(0)
    verdict = verdict_on(requests_lost(1), marked(rows), rows)
    assert first(verdict)[1] == "0 requests lost, where at least 1 must be"


def test_an_answer_proves_a_loss_however_late_the_driver_was() -> None:
    """A refusal or an error is said by the other side; only silence may be the driver's."""
    rows = delayed(lost(20), 9, 12, lag_s=0.5)
    assert verdict_on(requests_lost(1), marked(rows), rows).outcome is Outcome.HELD
    assert verdict_on(requests_lost(1, 10), marked(rows), rows).outcome is Outcome.UNKNOWN


def test_silence_while_the_driver_was_late_neither_proves_nor_accuses() -> None:
    rows = [
        row._replace(error="timeout") if row.error else row
        for row in delayed(lost(20), 9, 12, lag_s=0.5)
    ]
    for guarantee in (requests_lost(1), requests_lost(1, 10)):
        verdict = verdict_on(guarantee, marked(rows), rows)
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def test_no_requests_few_requests_and_missing_ones_are_unknown() -> None:
    assert verdict_on(requests_lost(1)).outcome is Outcome.UNKNOWN
    few = steady(seconds=0.5)
    assert verdict_on(requests_lost(1), marked(few), few).outcome is Outcome.UNKNOWN
    rows = lost(0)
    damage = Damage(
        kind="torn",
        holds="requests",
        file="requests-1.ckl",
        detail="torn",
        since_ns=at(10),
        until_ns=at(11),
    )
    verdict = verdict_on(requests_lost(1), marked(rows), rows, damage)
    assert verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("least,most", [(0, None), (0, 0), (5, 4), (-1, 3)])
def test_a_claim_of_nothing_is_refused(least: int, most: int | None) -> None:
    with pytest.raises(UsageError, match="claims nothing"):
        requests_lost(least, most)
