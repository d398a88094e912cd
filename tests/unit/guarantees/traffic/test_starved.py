"""Seconds in which the machine kept a pod from running, and what they mean for verdicts."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import (
    availability,
    latency,
    load_was_enough,
    no_request_lost,
    outage,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.traffic.driver_health import suspect_seconds_of
from chaoskit.guarantees.traffic.starved import doubtful_seconds_of, starved_pods
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import AnyEvent
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from tests.corpus.attribution import web
from tests.corpus.driver import health
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, load_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at

POD = "uid-web-2"


def history(story: Story, rows: Sequence[RequestRow] = (), *more: AnyEvent) -> History:
    marks = load_marks(list(rows)) if rows else []
    return History.of_parts(requests=list(rows), events=[*story.events, *marks, *more])


def spans_s(story: Story) -> list[tuple[float, float]]:
    spans = [each.span for each in starved_pods(history(story))]
    return [((start - at(0)) / 1e9, (end - at(0)) / 1e9) for start, end in spans]


def test_a_pod_that_waits_for_half_of_the_time_is_starved() -> None:
    assert spans_s(web().starving(POD, 11, 0.5)) == [(10, 11)]
    assert spans_s(web().starving(POD, 11, 0.499)) == []
    assert spans_s(web().starving(POD, 12, 1.0, over_s=2)) == [(10, 12)]


def test_a_wait_that_is_told_late_reaches_back_to_where_it_began() -> None:
    ((start_s, end_s),) = spans_s(web().starving(POD, 11, 4.4))
    assert start_s == pytest.approx(6.6)
    assert end_s == 11


@pytest.mark.parametrize(
    "told",
    [
        lambda story: story.starving(POD, 11, 0.9, throttled_s=0.41),
        lambda story: story.starving(POD, 11, 0.9, ran_s=0.51),
        lambda story: story.starving("uid-of-another-namespace", 11, 0.9),
        lambda story: story.starving(POD, 11, 0.9).fault("cpu_stressed", "n2", 10.9, 20),
        lambda story: story.scans("n1", 20),
    ],
    ids=["its own limit", "its own use", "not on record", "a fault takes them", "not told"],
)
def test_what_is_not_the_machines_doing_is_no_excuse(told: Callable[[Story], Story]) -> None:
    assert spans_s(told(web())) == []


def test_another_fault_does_not_explain_a_wait() -> None:
    assert spans_s(web().starving(POD, 11, 0.9).fault("nic_down", "n2", 9, 20)) == [(10, 11)]


@pytest.mark.parametrize(
    "broken",
    [
        lambda story: story.starving(POD, 11, -0.1),
        lambda story: story.starving(POD, 11, 0.9, ran_s=-1),
        lambda story: story.starving(POD, 11, 0.9, over_s=-1),
    ],
    ids=["waited", "ran", "ends before it begins"],
)
def test_a_measurement_that_cannot_be_is_a_broken_record(broken: Callable[[Story], Story]) -> None:
    story = broken(web())
    with pytest.raises(RecordError):
        starved_pods(history(story))
    with pytest.raises(RecordError):  # which the judge makes UNKNOWN
        no_request_lost().check(history(story, steady(seconds=30)))


FAILING = steady(seconds=30, outcome=bad_between((10.2, 10.8)))
CLAIMS: list[Guarantee] = [no_request_lost(), availability(0.999), outage(0.3)]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_fails_while_a_pod_is_kept_from_running_accuses_nobody(claim: Guarantee) -> None:
    assert claim.check(history(web(), FAILING)).outcome is Outcome.VIOLATED
    verdict = claim.check(history(web().starving(POD, 11, 0.8), FAILING))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "60 requests failed while the machine kept a pod from running" in verdict.summary
    assert verdict.coverage["not ok in harness-suspect seconds"] == 60


@pytest.mark.parametrize("beside_s", [9.4, 11.0, 15.2])
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_fails_beside_those_seconds_is_charged(claim: Guarantee, beside_s: float) -> None:
    """The next slot after 0.59 s of failures still ends in its own second."""
    bad = bad_between((10.2, 10.8), (beside_s, beside_s + 0.59))
    verdict = claim.check(history(web().starving(POD, 11, 0.8), steady(seconds=30, outcome=bad)))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(beside_s)


@pytest.mark.parametrize(
    "claim", [*CLAIMS, latency(0.1), load_was_enough()], ids=lambda each: each.name
)
def test_a_pod_that_did_not_run_while_nothing_failed_takes_nothing_away(claim: Guarantee) -> None:
    """The driver was punctual: all that could fail was seen, under worse conditions."""
    story = web()
    for second in range(5, 25):
        story.starving(POD, second, 0.9)
    assert claim.check(history(story, steady(seconds=30))).outcome is Outcome.HELD


def test_a_driver_in_trouble_is_named_beside_the_pod() -> None:
    story = web().starving(POD, 11, 0.8)
    record = history(story, steady(seconds=30), health(10, 11, 0.9))
    assert doubtful_seconds_of(record).in_words() == (
        "the driver itself used more than 80% of a core and the machine kept a pod from running"
    )
    assert doubtful_seconds_of(record).of_driver().in_words() == (
        "the driver itself used more than 80% of a core"
    )


@given(
    waits=st.lists(
        st.tuples(st.integers(1, 30), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)),
        max_size=8,
    ),
    bad=st.lists(st.tuples(st.floats(0, 29), st.floats(0.01, 2)), max_size=4),
)
@examples(200)
def test_waits_only_ever_take_a_charge_away(
    waits: list[tuple[int, float, float, float]], bad: list[tuple[float, float]]
) -> None:
    """Whatever pods waited: what held still holds, and the driver's own seconds stay."""
    story = web()
    for until_s, waited_s, ran_s, throttled_s in waits:
        story.starving(POD, until_s, waited_s, ran_s=ran_s, throttled_s=throttled_s)
    rows = steady(
        seconds=30, rate_per_s=20, outcome=bad_between(*((at_s, at_s + s) for at_s, s in bad))
    )
    plain, waited = history(web(), rows), history(story, rows)
    for claim in CLAIMS:
        before, after = claim.check(plain).outcome, claim.check(waited).outcome
        assert after is before or (before, after) == (Outcome.VIOLATED, Outcome.UNKNOWN)
    assert suspect_seconds_of(waited).keys.tolist() == suspect_seconds_of(plain).keys.tolist()
    assert doubtful_seconds_of(waited).of_driver().keys.tolist() == []
