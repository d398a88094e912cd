"""service_recovers_within on hand-made and generated histories."""

from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import service_recovers_within
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import FaultMark, LoadMark, StepMark
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, phase_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

#: The node is cut from 10 s on and verified healed at 20.3 s.
HEALED_S = 20.3


def cut() -> Story:
    return Story().fault("nic_down", "n2", 10, 20)


def check(
    rows: Sequence[RequestRow],
    at_most_s: float = 5,
    story: Story | None = None,
    calm_s: float = 5,
    damage: Sequence[Damage] = (),
) -> Verdict:
    guarantee = service_recovers_within(at_most_s, after="nic_down", calm_s=calm_s)
    return verdict_on(guarantee, story or cut(), rows, *damage)


def bad_until(end_s: float, *others: tuple[float, float], seconds: float = 60) -> list[RequestRow]:
    """A stream that is bad from 11 s on."""
    return steady(seconds=seconds, rate_per_s=10, outcome=bad_between((11, end_s), *others))


def test_holds_and_states_the_recovery_from_both_sides() -> None:
    verdict = check(bad_until(24))
    assert verdict.outcome is Outcome.HELD
    assert verdict.title == "service recovers within 5 s of healed nic_down"
    assert verdict.summary == (
        "stream kept via n1 of load load-1 was bad until 3.600 s (at most 3.700 s)"
        " after the heal of nic_down on n2; limit 5 s"
    )
    assert verdict.figures == {"recovery_s": 3.6, "recovery_at_most_s": 3.7}
    assert verdict.coverage == {"disturbances": 1, "recoveries": 1}


def test_a_service_that_the_fault_did_not_touch_recovers_at_once() -> None:
    verdict = check(steady(seconds=60, rate_per_s=10), at_most_s=0.2)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["recovery_s"] == 0


def test_violated_names_the_last_bad_slot() -> None:
    rows = [*bad_until(24), *steady(seconds=60, load="load-2", outcome=bad_between((11, 30)))]
    verdict = check(rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 1
    witness = verdict.evidence.first
    assert witness is not None
    assert witness.time_ns == at(29.99)
    assert witness.text == (
        "stream kept via n1 of load load-2 was bad until 9.690 s (at most 9.700 s)"
        " after the heal of nic_down on n2"
    )
    assert witness.objects == ["kept via n1", "load-2", "n2"]


def test_between_the_bounds_it_is_unknown() -> None:
    rows = bad_until(24)
    for limit_s, outcome in (
        (3.5, Outcome.VIOLATED),
        (3.6, Outcome.UNKNOWN),
        (3.69, Outcome.UNKNOWN),
        (3.7, Outcome.HELD),
    ):
        assert check(rows, limit_s).outcome is outcome
    assert "not sure in time: stream kept via n1" in check(rows, 3.65).summary


def test_a_relapse_before_the_calm_belongs_to_the_disturbance() -> None:
    rows = bad_until(21, (25, 25.1), (29, 29.1))
    assert check(rows).outcome is Outcome.VIOLATED
    verdict = check(rows, at_most_s=10)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["recovery_s"] == 8.7
    for calm_s, outcome in ((3.9, Outcome.HELD), (4, Outcome.UNKNOWN), (4.2, Outcome.VIOLATED)):
        assert check(rows, calm_s=calm_s).outcome is outcome
    assert check(rows, calm_s=4).figures["recovery_s"] == 0.6


def test_a_failure_after_the_calm_is_another_disturbance() -> None:
    verdict = check(bad_until(21, (27, 40)))
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["recovery_s"] == 0.6


def test_the_calm_must_be_seen() -> None:
    for seconds, outcome in ((29.1, Outcome.HELD), (29, Outcome.UNKNOWN)):
        verdict = check(bad_until(24, seconds=seconds))
        assert verdict.outcome is outcome
    assert (
        "stream kept via n1 was not seen without a bad slot for 5 s after the heal of nic_down"
        in verdict.summary
    )
    assert check(bad_until(26, seconds=26.2)).outcome is Outcome.VIOLATED


def test_a_stream_that_stays_bad_has_no_known_recovery() -> None:
    verdict = check(bad_until(60), at_most_s=100)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "was bad until 39.600 s (at most ? s)" in verdict.summary
    assert "recovery_at_most_s" not in verdict.figures
    assert check(bad_until(60)).outcome is Outcome.VIOLATED


def test_each_heal_is_judged_and_overlapping_faults_end_with_the_last() -> None:
    twice = cut().fault("nic_down", "n3", 40, 45)
    rows = bad_until(22, (41, 52), seconds=80)
    verdict = check(rows, story=twice)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.coverage["disturbances"] == 2
    assert verdict.evidence.count == 1
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.objects[-1] == "n3"
    assert check(rows, 7, story=twice).outcome is Outcome.HELD
    both = cut().fault("nic_down", "n3", 15, 28)
    verdict = check(bad_until(30), story=both)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["disturbances"] == 1
    assert verdict.figures["recovery_s"] == 1.6


def test_what_is_bad_under_the_next_or_another_fault_is_not_charged() -> None:
    for name, why in (
        ("nic_down", "the next nic_down had begun"),
        ("dns_outage", "dns_outage was in effect"),
    ):
        story = cut().fault(name, "n3", 24, 40)
        verdict = check(bad_until(42, seconds=80), story=story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert f"{why}, so what was bad is not charged" in verdict.summary
        assert check(bad_until(42, seconds=80), 3, story=story).outcome is Outcome.VIOLATED
    both = cut().fault("nic_down", "n3", 24, 40).fault("dns_outage", "n1", 30, 35)
    assert check(bad_until(42, seconds=80), story=both).outcome is Outcome.UNKNOWN
    throughout = cut().fault("dns_outage", "n3", 5, 50)
    assert check(bad_until(30), story=throughout).outcome is Outcome.UNKNOWN
    assert check(bad_until(24), story=throughout).outcome is Outcome.HELD
    before = cut().fault("dns_outage", "n3", 1, 12)
    assert check(bad_until(30), story=before).outcome is Outcome.VIOLATED


def test_a_fault_that_outlasts_the_next_disturbance_excuses_from_its_own_beginning() -> None:
    story = cut().fault("nic_down", "n3", 40, 42).fault("dns_outage", "n1", 25, 45)
    verdict = check(bad_until(30, seconds=80), story=story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "dns_outage was in effect, so what was bad is not charged" in verdict.summary


def test_a_stream_that_ended_before_leaves_the_others_to_be_judged() -> None:
    ended = steady(seconds=15, rate_per_s=10, stream="early via n1")
    late = [row._replace(stream="late via n1") for row in bad_until(28)]
    verdict = check([*ended, *late])
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.coverage["recoveries"] == 1


def test_the_longest_recovery_is_the_worst() -> None:
    rows = [
        *bad_until(26.5),
        *(row._replace(stream="slower via n1") for row in bad_until(29)),
        *(row._replace(stream="soon via n1") for row in bad_until(27)),
    ]
    verdict = check(rows)
    assert verdict.evidence.count == 3
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.objects == ["slower via n1", "load-1", "n2"]


def test_a_driver_that_was_late_at_another_time_is_not_blamed() -> None:
    rows = delayed(bad_until(24), 40, 43, 0.2)
    verdict = check(rows, 3.65)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["harness-suspect seconds"] == 3
    assert "the driver itself" not in verdict.summary


def test_only_what_was_bad_is_excused() -> None:
    story = cut().fault("dns_outage", "n3", 22, 40)
    rows = [row for row in bad_until(21) if not at(22.5) < row.planned_ns < at(24)]
    verdict = check(rows, 2, story=story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "not charged" not in verdict.summary


def test_only_ends_in_the_phase_count() -> None:
    story = cut().fault("nic_down", "n3", 40, 45)
    rows = bad_until(22, (41, 52), seconds=80)
    history = History.of_parts(requests=rows, events=[*story.events, *phase_marks("p", 5, 30)])
    verdict = service_recovers_within(5, after="nic_down", phase="p").check(history)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["disturbances"] == 1
    assert verdict.title == "service recovers within 5 s of healed nic_down in phase p"


def test_unknown_without_load_heal_proof_or_whole_records() -> None:
    rows = steady(seconds=60, rate_per_s=10)
    died = Story()
    died.events = [
        *cut().events,
        LoadMark(time_ns=at(61), load_id="load-1", mark="died", rate_per_s=1, streams=[]),
    ]
    for requests, story, why in (
        (rows, Story(), "no healed nic_down is in the record"),
        ([], cut(), "no stream has planned slots after the heal of nic_down on n2"),
        (steady(seconds=15), cut(), "no stream has planned slots after the heal"),
        (steady(seconds=30, start_s=40), cut(), "no stream has planned slots after the heal"),
        (steady(seconds=30, start_s=21), cut(), "stream kept via n1 began only after the heal"),
        (rows, Story().fault("nic_down", "n2", 10, 20, healed=False), "has no heal of nic_down"),
        (rows, Story().fault("nic_down", "n2", 10, 20, proved=False), "never seen in effect"),
        (rows, died, "load load-1 died"),
    ):
        verdict = check(requests, story=story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert why in verdict.summary
    assert check([], story=Story()).outcome is Outcome.UNKNOWN


def test_lost_events_accuse_nobody_and_lost_requests_excuse_nothing() -> None:
    outcomes: dict[Literal["events", "requests"], Outcome] = {
        "events": Outcome.UNKNOWN,
        "requests": Outcome.VIOLATED,
    }
    for holds, outcome in outcomes.items():
        lost = Damage(
            file="x", holds=holds, kind="lost", since_ns=at(22), until_ns=at(23), detail=""
        )
        assert check(bad_until(30), damage=[lost]).outcome is outcome
        assert check(bad_until(22), damage=[lost]).outcome is Outcome.UNKNOWN


def test_contradictory_marks_are_an_error() -> None:
    effective = FaultMark(time_ns=at(6), fault_id="f", name="x", target="n2", mark="effective")
    done = StepMark(time_ns=at(6), step_id="s", name="undo", target="Deployment web", mark="done")
    history = History.of_parts(requests=steady(seconds=30), events=[effective, done])
    for guarantee in (
        service_recovers_within(3, after="x"),
        service_recovers_within(3, after_step="undo"),
    ):
        with pytest.raises(RecordError, match="never"):
            guarantee.check(history)


def test_slots_of_a_late_driver_are_bad_only_in_the_upper_bound() -> None:
    rows = delayed(bad_until(28), 22, 28, 0.1)
    verdict = check(rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "failed while the driver itself was late by up to 100 ms" in verdict.summary
    assert verdict.figures["recovery_s"] == 1.6
    assert check(rows, at_most_s=1).outcome is Outcome.VIOLATED
    assert check(rows, at_most_s=8).outcome is Outcome.HELD


def test_punctual_slots_of_a_suspect_second_name_the_late_driver_too() -> None:
    control = delayed(steady(seconds=60, stream="control"), 21, 28, 0.1)
    verdict = check([*bad_until(28), *control])
    assert verdict.outcome is Outcome.UNKNOWN
    assert "failed while the driver itself was late by up to 100 ms" in verdict.summary


def test_a_driver_that_stood_still_may_have_missed_a_relapse() -> None:
    rows = steady(seconds=60, rate_per_s=10)
    for slot in range(40):
        planned_s = 21 + slot / 10
        rows = delayed(rows, planned_s - 1e-6, planned_s + 1e-6, 25 - planned_s)
    verdict = check(rows, at_most_s=3)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the driver itself was late by up to 4.0 s" in verdict.summary
    assert check(rows, at_most_s=5).outcome is Outcome.HELD
    assert check(delayed(steady(seconds=60), 0, 60, 0.1), at_most_s=0.2).outcome is Outcome.HELD


def test_a_time_without_slots_may_hide_a_relapse() -> None:
    rows = [
        row for row in steady(seconds=60, rate_per_s=10) if not at(22) < row.planned_ns < at(24)
    ]
    assert check(rows, at_most_s=3).outcome is Outcome.UNKNOWN
    assert check(rows, at_most_s=4).outcome is Outcome.HELD


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="at_most_s"):
        service_recovers_within(0, after="x")
    with pytest.raises(UsageError, match="calm_s"):
        service_recovers_within(1, after="x", calm_s=0)
    with pytest.raises(UsageError, match="takes one of"):
        service_recovers_within(1)
    with pytest.raises(UsageError, match="takes one of"):
        service_recovers_within(1, after="x", after_step="y")


spans = st.tuples(st.floats(0, 50), st.floats(0.3, 8)).map(lambda pair: (pair[0], sum(pair)))


@examples(80)
@given(
    end_s=st.floats(11, 45),
    limit_s=st.floats(0.5, 30),
    rate_per_s=st.sampled_from([5, 20]),
)
def test_a_planted_recovery_lies_within_the_bounds_and_is_named(
    end_s: float, limit_s: float, rate_per_s: int
) -> None:
    rows = steady(seconds=60, rate_per_s=rate_per_s, outcome=bad_between((11, end_s)))
    verdict = check(rows, at_most_s=limit_s)
    truth_s = max(0.0, end_s - HEALED_S)
    lower, upper = verdict.figures["recovery_s"], verdict.figures["recovery_at_most_s"]
    assert lower <= truth_s + 1e-6
    assert truth_s <= upper + 1e-6
    assert upper - lower <= 2 / rate_per_s + 1e-6
    if truth_s < limit_s:
        assert verdict.outcome is not Outcome.VIOLATED
    if truth_s > limit_s + 1 / rate_per_s + 1e-6:
        assert verdict.outcome is Outcome.VIOLATED
        assert verdict.evidence.first is not None
        assert abs(verdict.evidence.first.time_ns - at(end_s)) <= 1e9 / rate_per_s + 1
    if truth_s + 1 / rate_per_s < limit_s:
        assert verdict.outcome is Outcome.HELD


@examples(100)
@given(bad=st.lists(spans, max_size=5), limit_s=st.floats(0.5, 20), calm_s=st.floats(0.5, 8))
def test_agrees_with_walking_from_slot_to_slot(
    bad: list[tuple[float, float]], limit_s: float, calm_s: float
) -> None:
    rows = steady(seconds=60, rate_per_s=10, outcome=bad_between(*bad))
    healed_ns = at(HEALED_S)
    last_ns, bad_before, shown_ns = healed_ns, True, healed_ns
    for row in rows:
        if row.planned_ns < healed_ns:
            continue
        if row.outcome == "ok":
            shown_ns, bad_before = (row.planned_ns if bad_before else shown_ns), False
        elif row.planned_ns - last_ns >= round(calm_s * 1e9):
            break
        else:
            last_ns, bad_before = row.planned_ns, True
    verdict = check(rows, at_most_s=limit_s, calm_s=calm_s)
    assert verdict.figures["recovery_s"] == pytest.approx((last_ns - healed_ns) / 1e9)
    assert (verdict.outcome is Outcome.VIOLATED) == (last_ns - healed_ns > limit_s * 1e9)
    if verdict.outcome is Outcome.HELD:
        assert (shown_ns - healed_ns) <= limit_s * 1e9


@examples(60)
@given(
    bad=st.lists(spans, max_size=3),
    stalls=st.lists(st.tuples(spans, st.floats(0, 6)), min_size=1, max_size=3),
    limit_s=st.sampled_from([1.0, 3.0, 8.0]),
)
def test_lag_neither_clears_nor_accuses(
    bad: list[tuple[float, float]],
    stalls: list[tuple[tuple[float, float], float]],
    limit_s: float,
) -> None:
    rows = steady(seconds=60, rate_per_s=20, outcome=bad_between(*bad))
    late = rows
    for (start_s, end_s), lag_s in stalls:
        late = delayed(late, start_s, end_s, lag_s)
    before, after = check(rows, limit_s).outcome, check(late, limit_s).outcome
    if before is Outcome.VIOLATED:
        assert after is not Outcome.HELD
    else:
        assert after is not Outcome.VIOLATED
