"""traffic_split on hand-made and generated histories."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import traffic_split
from chaoskit.guarantees.proportions import interval
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import answered_by, bad_between, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

CANARY = {"v1": 0.9, "v2": 0.1}


def new(seconds: float = 30, **how: object) -> list[RequestRow]:
    return steady(seconds=seconds, connection="new", stream="new via n1", **how)  # type: ignore[arg-type]


def one_in(number: int, rows: Sequence[RequestRow]) -> list[RequestRow]:
    """Every `number`th slot is answered by v2."""
    return answered_by(rows, lambda slot: "v2" if slot % number == 0 else "v1")


def check(rows: Sequence[RequestRow], shares: dict[str, float] | None = None) -> Verdict:
    return verdict_on(traffic_split(shares or CANARY), rows=rows)


def test_holds_and_states_each_share_with_its_interval() -> None:
    verdict = check(one_in(10, new()))
    assert verdict.outcome is Outcome.HELD
    assert verdict.title == "answers split by revision: v1 90 %, v2 10 % by connection new"
    assert verdict.coverage == {
        "answers by connection new": 3000,
        "answers of v1": 2700,
        "answers of v2": 300,
    }
    lower, upper = interval(300, 3000, confidence=0.99)
    assert verdict.figures["share_of_v2"] == 0.1
    assert verdict.figures["share_of_v2_at_least"] == pytest.approx(lower, abs=1e-8)
    assert verdict.figures["share_of_v2_at_most"] == pytest.approx(upper, abs=1e-8)
    assert "v2 gave 300 of 3000 answers (10 %; 8.637 % to 11.49 % at 99 %)" in verdict.summary


def test_violated_names_the_value_and_its_share() -> None:
    verdict = check(one_in(4, new(start_s=3)))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 2
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(3)
    assert verdict.evidence.first.objects == ["v1"]
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.text == (
        "v2 gave 750 of 3000 answers (25 %; 22.99 % to 27.09 % at 99 %), meant are 10 %"
    )


def test_the_worst_is_the_value_that_is_furthest_off() -> None:
    rows = answered_by(new(), lambda slot: ["v1", "v1", "v2", "v3", "v3", "v3"][slot % 6])
    verdict = check(rows, {"v1": 0.35, "v2": 0.45, "v3": 0.2})
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 2
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.objects == ["v3"]


def test_what_is_off_by_no_more_than_the_tolerance_holds() -> None:
    history = History.of_parts(requests=one_in(7, new()))
    assert traffic_split(CANARY).check(history).outcome is Outcome.VIOLATED
    assert traffic_split(CANARY, tolerance=0.03).check(history).outcome is Outcome.HELD
    few = History.of_parts(requests=one_in(8, new(seconds=3)))
    assert traffic_split(CANARY, tolerance=0).check(few).outcome is Outcome.HELD


def test_more_confidence_accuses_less() -> None:
    history = History.of_parts(requests=one_in(6, new(seconds=5)))
    assert traffic_split(CANARY, confidence=0.9).check(history).outcome is Outcome.VIOLATED
    assert traffic_split(CANARY, confidence=0.999).check(history).outcome is Outcome.HELD


def test_confidence_is_that_of_all_values_together() -> None:
    shares = {"v1": 0.5, "v2": 0.25, "v3": 0.25}
    rows = answered_by(new(seconds=4), lambda slot: ("v1", "v2", "v1", "v3")[slot % 4])
    verdict = check(rows, shares)
    expected = interval(200, 400, confidence=1 - 0.01 / 3)
    found = (verdict.figures["share_of_v1_at_least"], verdict.figures["share_of_v1_at_most"])
    assert found == pytest.approx(expected, abs=1e-8)


def test_an_answer_by_a_value_without_a_share_is_a_violation() -> None:
    rows = answered_by(new(), lambda slot: "v3" if slot in (500, 700, 900) else "v1")
    verdict = check(rows, {"v1": 1.0})
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 3
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(5)
    assert verdict.evidence.first.text == (
        "answered by revision v3: slot 500: read on stream new via n1: ok, answered by web-1"
    )
    assert verdict.evidence.first.objects == ["v3"]
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(9)


def test_shares_and_strangers_are_counted_together() -> None:
    rows = answered_by(
        new(), lambda slot: "v3" if slot in (5, 6, 7) else ("v2", "v1")[slot % 4 > 0]
    )
    assert check(rows).evidence.count == 2 + 3


def test_a_value_that_never_answers_is_missed() -> None:
    verdict = check(new())
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.figures["share_of_v2"] == 0
    assert check(new(), {"v1": 1.0, "v2": 0.0}).outcome is Outcome.HELD


def test_only_ok_answers_on_new_connections_count() -> None:
    rows = [
        *one_in(10, new(outcome=bad_between((10, 12)))),
        *steady(seconds=30, load="load-2"),
    ]
    verdict = check(rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["answers by connection new"] == 2800
    history = History.of_parts(requests=rows)
    every = traffic_split(CANARY, connection=None).check(history)
    assert every.outcome is Outcome.VIOLATED
    assert every.coverage["answers"] == 5800


@pytest.mark.parametrize("by", ["pod", "node"])
def test_pods_and_nodes_have_shares_too(by: str) -> None:
    rows = [row._replace(pod=f"n{row.slot % 2}", node=f"n{row.slot % 2}") for row in new()]
    history = History.of_parts(requests=rows)
    for shares, outcome in (
        ({"n0": 0.5, "n1": 0.5}, Outcome.HELD),
        ({"n0": 0.6, "n1": 0.4}, Outcome.VIOLATED),
    ):
        assert traffic_split(shares, by=by).check(history).outcome is outcome  # type: ignore[arg-type]


def test_too_few_answers_are_unknown_unless_they_are_hopeless() -> None:
    verdict = check(one_in(10, new(seconds=0.99)))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "99 answers are too few to tell (100 needed)" in verdict.summary
    assert check(one_in(10, new(seconds=1))).outcome is Outcome.HELD
    assert check(answered_by(new(seconds=0.5), lambda _slot: "v2")).outcome is Outcome.VIOLATED
    for rows in ([], new(outcome=lambda _second: "fail")):
        assert check(rows).outcome is Outcome.UNKNOWN


def test_answers_without_a_name_leave_room_on_either_side() -> None:
    rows = answered_by(new(), lambda slot: ("v2", None, *["v1"] * 8)[slot % 10])
    verdict = check(rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "300 ok answers name no revision" in verdict.summary
    assert verdict.figures["share_of_v1_at_most"] > 0.9
    assert check(rows, {"v1": 0.6, "v2": 0.4}).outcome is Outcome.VIOLATED


def test_a_fault_bounds_what_is_judged_and_must_be_proved() -> None:
    rows = answered_by(new(60), lambda slot: "v2" if slot % 10 == 0 and slot < 2000 else "v1")
    proved = Story().fault("nic_down", "n2", 20, 60)
    unproved = Story().fault("nic_down", "n2", 20, 60, proved=False)
    history = History.of_parts(requests=rows, events=proved.events)
    assert traffic_split(CANARY, outside="nic_down").check(history).outcome is Outcome.HELD
    assert traffic_split(CANARY, during="nic_down").check(history).outcome is Outcome.VIOLATED
    history = History.of_parts(requests=rows, events=unproved.events)
    assert traffic_split(CANARY, outside="nic_down").check(history).outcome is Outcome.UNKNOWN


def test_what_is_missing_may_hold_the_missing_answers() -> None:
    lost = Damage(
        file="x", holds="requests", kind="lost", since_ns=at(5), until_ns=at(6), detail=""
    )
    died = LoadMark(time_ns=at(50), load_id="load-1", mark="died", rate_per_s=1, streams=[])
    for rows in (one_in(4, new()), one_in(10, new())):
        for history in (
            History.of_parts(requests=rows, damage=[lost]),
            History.of_parts(requests=rows, events=[died]),
        ):
            assert traffic_split(CANARY).check(history).outcome is Outcome.UNKNOWN
    strange = answered_by(new(), lambda slot: "v3" if slot == 500 else "v1")
    history = History.of_parts(requests=strange, damage=[lost])
    assert traffic_split({"v1": 1.0}).check(history).outcome is Outcome.VIOLATED


def test_an_impossible_outcome_is_an_error() -> None:
    rows = [*new()[1:], new()[0]._replace(outcome="perhaps")]
    with pytest.raises(RecordError, match="impossible outcomes"):
        check(rows)


def test_nonsense_is_refused() -> None:
    for shares in ({}, {"v1": 0.5}, {"v1": 1.5, "v2": -0.5}, {"v1": 90, "v2": 10}):
        with pytest.raises(UsageError, match="add up to 1"):
            traffic_split(shares)
    assert traffic_split({"a": 0.333, "b": 0.333, "c": 0.333}).shares["a"] == 0.333
    with pytest.raises(UsageError, match="confidence"):
        traffic_split(CANARY, confidence=1)
    with pytest.raises(UsageError, match="tolerance"):
        traffic_split(CANARY, tolerance=-0.1)
    with pytest.raises(UsageError, match="by"):
        traffic_split(CANARY, by="zone")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="outside"):
        traffic_split(CANARY, outside="a", during="b")


@examples(60)
@given(
    share=st.sampled_from([0.05, 0.1, 0.3, 0.5]),
    off=st.sampled_from([0, 0, -0.2, 0.2]),
    total=st.integers(100, 1500),
    order=st.randoms(use_true_random=False),
)
def test_a_split_as_meant_holds_and_one_far_off_is_found_and_named(
    share: float, off: float, total: int, order: random.Random
) -> None:
    count = round(total * max(share + off, 0))
    revisions = ["v2"] * count + ["v1"] * (total - count)
    order.shuffle(revisions)
    rows = answered_by(new(total / 100), lambda slot: revisions[slot])
    verdict = check(rows, {"v1": 1 - share, "v2": share})
    lower, upper = interval(count, total, confidence=0.99)
    fits = lower - 0.02 <= share <= upper + 0.02
    assert verdict.outcome is (Outcome.HELD if fits else Outcome.VIOLATED)
    if not off:
        assert verdict.outcome is Outcome.HELD
    elif share + off >= 0.05:
        assert verdict.outcome is Outcome.VIOLATED
        assert {w.objects[0] for w in (verdict.evidence.first, verdict.evidence.last) if w} == {
            "v1",
            "v2",
        }
