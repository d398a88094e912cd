"""availability and no_request_lost on hand-made and generated histories."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import availability, no_request_lost
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, load_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on


def test_holds_with_all_ok_and_states_zero_failures_as_a_bound() -> None:
    rows = steady(seconds=30)
    verdict = availability(0.999).check(History.of_parts(requests=rows, events=load_marks(rows)))
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["bad_share_at_most"] == pytest.approx(3 / 3000)
    assert verdict.coverage["requests"] == 3000


@pytest.mark.parametrize("how", ["fail", "unknown", "unsent"])
def test_violated_with_first_and_last_witness(how: str) -> None:
    rows = steady(seconds=60, outcome=bad_between((10, 10.5), outcome=how))
    verdict = availability(0.999).check(History.of_parts(requests=rows))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 50
    assert verdict.evidence.first is not None
    assert verdict.evidence.last is not None
    assert verdict.evidence.first.time_ns == at(10)
    assert "slot 1000" in verdict.evidence.first.text
    assert verdict.evidence.last.time_ns == at(10.49)
    assert how in verdict.evidence.first.text


def test_failures_are_bounded_exactly_at_95_percent() -> None:
    """For few failures the bound is that of a Poisson mean: 7.754 for 3 seen, 4.744 for 1."""
    for bad_s, bound in ((0.03, 7.754), (0.01, 4.744)):
        rows = steady(seconds=30, outcome=bad_between((10, 10 + bad_s)))
        verdict = availability(0.99).check(History.of_parts(requests=rows))
        assert verdict.figures["bad_share_at_most"] == pytest.approx(bound / 3000, rel=1e-3)
        assert f"not ok: at most {bound / 30:.3g}" in verdict.summary


def test_witnesses_of_two_streams_at_one_moment_are_told_apart() -> None:
    fast = steady(seconds=30, outcome=bad_between((10, 10.01)))
    slow = steady(
        seconds=30, load="load-2", stream="new", latency_s=1, outcome=bad_between((10, 10.01))
    )
    verdict = no_request_lost().check(History.of_parts(requests=[*fast, *slow]))
    assert verdict.evidence.count == 2
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.objects == ["kept via n1"]
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.objects == ["new"]


def test_unknown_with_too_few_requests_but_violated_when_hopeless() -> None:
    assert availability(0.999).check(History.of_parts(requests=steady(seconds=29))).outcome is (
        Outcome.UNKNOWN
    )
    rows = steady(seconds=1, outcome=bad_between((0, 0.5)))
    assert availability(0.999).check(History.of_parts(requests=rows)).outcome is Outcome.VIOLATED


def test_empty_record_is_unknown() -> None:
    for guarantee in (availability(0.9), no_request_lost(), availability(0.9, during="x")):
        assert guarantee.check(History.of_parts()).outcome is Outcome.UNKNOWN


def test_requests_inside_and_outside_a_fault_are_told_apart() -> None:
    story = Story().fault("nic_down", "n2", 40, 50)
    rows = steady(seconds=90, outcome=bad_between((40.05, 50)))
    history = History.of_parts(requests=rows, events=story.events)
    outside = availability(0.999, outside="nic_down").check(history)
    during = availability(0.9, during="nic_down").check(history)
    assert outside.outcome is Outcome.HELD
    assert during.outcome is Outcome.VIOLATED
    parts = outside.coverage["requests outside nic_down"]
    assert parts + during.coverage["requests during nic_down"] == 9000


def test_unknown_when_the_fault_is_not_proved() -> None:
    rows = steady(seconds=90)
    for story in (
        Story(),
        Story().fault("nic_down", "n2", 40, 50, proved=False),
        Story().fault("nic_down", "n2", 40, 50, ineffective_at=45),
        Story().fault("dns_outage", "n2", 40, 50),
    ):
        verdict = verdict_on(availability(0.999, outside="nic_down"), story, rows)
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def test_unknown_when_a_chunk_is_lost_or_the_load_is_incomplete() -> None:
    rows = steady(seconds=40)
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="lost",
        since_ns=at(5),
        until_ns=at(6),
        detail="",
    )
    died = LoadMark(time_ns=at(50), load_id="load-1", mark="died", rate_per_s=1, streams=[])
    for history in (
        History.of_parts(requests=rows, damage=[lost]),
        History.of_parts(requests=rows, events=[died]),
        History.of_parts(requests=rows, events=load_marks(rows)[:1]),
        History.of_parts(requests=rows, events=load_marks(rows, planned=len(rows) + 1)),
    ):
        assert availability(0.999).check(history).outcome is Outcome.UNKNOWN
        assert no_request_lost().check(history).outcome is Outcome.UNKNOWN


def test_lost_chunk_outside_the_window_does_not_matter() -> None:
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="lost",
        since_ns=at(5),
        until_ns=at(6),
        detail="",
    )
    history = History.of_parts(
        requests=steady(seconds=90),
        events=Story().fault("nic_down", "n2", 40, 80).events,
        damage=[lost],
    )
    assert availability(0.999, during="nic_down").check(history).outcome is Outcome.HELD


def test_control_streams_say_nothing_about_the_service() -> None:
    rows = [
        *steady(seconds=30),
        *steady(seconds=30, stream="control", load="load-2", outcome=lambda _s: "fail"),
    ]
    assert no_request_lost().check(History.of_parts(requests=rows)).outcome is Outcome.HELD


def test_late_answers_are_not_ok() -> None:
    history = History.of_parts(requests=steady(seconds=30, latency_s=0.2))
    assert no_request_lost(deadline_s=0.3).check(history).outcome is Outcome.HELD
    assert no_request_lost(deadline_s=0.1).check(history).outcome is Outcome.VIOLATED


def test_streams_and_connections_are_chosen() -> None:
    rows = [
        *steady(seconds=30),
        *steady(
            seconds=30,
            stream="new via n1",
            connection="new",
            load="load-2",
            outcome=bad_between((3, 3.01)),
        ),
    ]
    history = History.of_parts(requests=rows)
    assert no_request_lost(connection="kept").check(history).outcome is Outcome.HELD
    assert no_request_lost(stream="kept *").check(history).outcome is Outcome.HELD
    assert no_request_lost(stream="absent").check(history).outcome is Outcome.UNKNOWN
    verdict = no_request_lost(connection="new").check(history)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 1


def test_nonsense_is_refused() -> None:
    for share in (0, 1, 1.5):
        with pytest.raises(UsageError):
            availability(share)
    with pytest.raises(UsageError):
        no_request_lost(outside="a", during="b")


@examples(60)
@given(
    total=st.integers(1, 800),
    bad=st.sets(st.integers(0, 799), max_size=40),
    at_least=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
    how=st.sampled_from(["fail", "unknown", "unsent"]),
)
def test_agrees_with_counting_one_by_one(
    total: int, bad: set[int], at_least: float, how: str
) -> None:
    rows = [row if row.slot not in bad else row._replace(outcome=how) for row in steady(seconds=8)][
        :total
    ]
    number = sum(row.outcome != "ok" for row in rows)
    enough = total >= math.ceil(round(3 / (1 - at_least), 6))
    outcome = availability(at_least).check(History.of_parts(requests=rows)).outcome
    if enough:
        fits = number <= (1 - at_least) * total + 1e-9
        assert outcome is (Outcome.HELD if fits else Outcome.VIOLATED)
    else:
        assert outcome is not Outcome.HELD
    lost = no_request_lost(minimum_requests=1).check(History.of_parts(requests=rows)).outcome
    assert lost is (Outcome.VIOLATED if number else Outcome.HELD)


@examples(30)
@given(order=st.randoms(use_true_random=False), shift_s=st.floats(0, 1000))
def test_order_of_rows_and_shift_of_time_do_not_matter(order: object, shift_s: float) -> None:
    rows = steady(seconds=4, start_s=shift_s, outcome=bad_between((shift_s + 1, shift_s + 1.5)))
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    guarantee = availability(0.9)
    verdict = guarantee.check(History.of_parts(requests=rows))
    assert guarantee.check(History.of_parts(requests=shuffled)) == verdict
    assert replace(guarantee, at_least=0.5).check(History.of_parts(requests=rows)).outcome is (
        Outcome.HELD
    )
