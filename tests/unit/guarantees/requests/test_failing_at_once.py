"""failing_at_once: how many pods answer with errors at the same time."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import failing_at_once
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.requests import RequestRow
from tests.corpus.requests import bad_between, steady
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

ONE = failing_at_once(1)


def answers_of(pod: str, *failing: tuple[float, float], rate_per_s: float = 20) -> list[RequestRow]:
    """A pod's answers, which are errors in these spans."""
    rows = steady(
        seconds=30, rate_per_s=rate_per_s, outcome=bad_between(*failing), load=f"load-{pod}"
    )
    return [
        row._replace(pod=pod, pod_uid=f"uid-{pod}", error=None if row.outcome == "ok" else "status")
        for row in rows
    ]


def test_one_after_the_other_is_not_at_once() -> None:
    rows = [*answers_of("kv-1", (5, 8)), *answers_of("kv-0", (10, 13))]
    verdict = verdict_on(ONE, rows=rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures == {"failing_at_once_at_least": 1, "failing_at_once_at_most": 1}


def test_two_at_once_are_the_witness() -> None:
    rows = [*answers_of("kv-1", (5, 8)), *answers_of("kv-0", (7, 13))]
    time_ns, text, objects = first(verdict_on(ONE, rows=rows))
    assert text == "2 pods failed at once: kv-0, kv-1"
    assert objects == ["kv-0", "kv-1"]
    assert time_ns == at(7.005)
    assert verdict_on(failing_at_once(2), rows=rows).outcome is Outcome.HELD


def test_one_slow_answer_does_not_hide_those_sent_after_it() -> None:
    """It is the last to end, but others were sent and failed long after it was sent."""
    slow = answers_of("kv-0", (7, 30))
    slow[-2] = slow[-2]._replace(sent_ns=at(6.99), end_ns=at(29.99))
    rows = [*answers_of("kv-1", (5, 8)), *slow[:-1]]
    assert verdict_on(ONE, rows=rows).outcome is Outcome.VIOLATED


def test_a_pod_that_fails_twice_counts_once() -> None:
    rows = [*answers_of("kv-1", (5, 8), (9, 12)), *answers_of("kv-0")]
    assert verdict_on(ONE, rows=rows).outcome is Outcome.HELD


def test_what_the_answers_leave_open_is_unknown() -> None:
    rows = [*answers_of("kv-1", (5, 8), rate_per_s=0.5), *answers_of("kv-0", (7.5, 9))]
    assert "2 pods may have failed at once" in verdict_on(ONE, rows=rows).summary
    for nothing in ([], answers_of("kv-0")):
        verdict = verdict_on(ONE, rows=nothing)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "no pod answered with an error" in verdict.summary
    with pytest.raises(UsageError, match="negative"):
        failing_at_once(-1)


@settings(max_examples=60, deadline=None)
@given(
    starts=st.lists(st.floats(1, 20), min_size=2, max_size=4),
    lasts_s=st.floats(0.5, 4),
)
def test_the_verdict_fits_what_was_so(starts: list[float], lasts_s: float) -> None:
    rows = [
        row
        for number, start in enumerate(starts)
        for row in answers_of(f"kv-{number}", (start, start + lasts_s))
    ]
    ordered = sorted(starts)
    gaps = [b - (a + lasts_s) for a, b in pairwise(ordered)]
    outcome = verdict_on(ONE, rows=rows).outcome
    if min(gaps) > 0.2:
        assert outcome is Outcome.HELD
    elif min(gaps) < -0.2:
        assert outcome is Outcome.VIOLATED
