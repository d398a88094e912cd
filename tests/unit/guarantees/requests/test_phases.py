"""What a guarantee about requests chooses: a phase, a user, and the sampler only by its name."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import (
    availability,
    degradation,
    error_classes_within,
    latency,
    no_request_lost,
    only_versions,
    outage,
    service_recovers_within,
    traffic_split,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import decode, encode
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import AnyEvent, PhaseMark
from chaoskit.history.folder import GuaranteeSpec
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, phase_marks, steady
from tests.corpus.story import Story
from tests.corpus.times import at

SHARES = {"v1": 1.0}

#: Guarantees that hold for a minute without a failure, as functions of the phase.
BY_PHASE: dict[str, Callable[[str], Guarantee]] = {
    "availability": lambda phase: availability(0.99, phase=phase),
    "no_request_lost": lambda phase: no_request_lost(phase=phase),
    "latency": lambda phase: latency(0.1, phase=phase),
    "only_versions": lambda phase: only_versions(["v1"], phase=phase),
    "error_classes_within": lambda phase: error_classes_within(["status 503"], phase=phase),
    "outage": lambda phase: outage(0.5, phase=phase),
    "degradation": lambda phase: degradation(0.9, 0.2, phase=phase),
    "traffic_split": lambda phase: traffic_split(SHARES, phase=phase, connection=None),
    "service_recovers_within": lambda phase: service_recovers_within(
        0.5, after="nic_down", phase=phase
    ),
}
each = pytest.mark.parametrize("make", BY_PHASE.values(), ids=BY_PHASE)

#: A fault and its heal at 20.3 s, in the phase that is looked at.
HEALED = Story().fault("nic_down", "n2", 10, 20).events


def history(
    rows: Sequence[RequestRow], events: Sequence[AnyEvent] = (), damage: Sequence[Damage] = ()
) -> History:
    return History.of_parts(requests=rows, events=[*HEALED, *events], damage=damage)


def wrong_from(start_s: float, end_s: float) -> list[RequestRow]:
    """Failures for half of the time; the other half is answered by a stranger."""
    return [
        row._replace(revision="v9") if at(start_s) <= row.planned_ns < at(end_s) else row
        for row in steady(seconds=60, outcome=bad_between((start_s, (start_s + end_s) / 2)))
    ]


@each
def test_only_what_was_planned_in_the_phase_counts(make: Callable[[str], Guarantee]) -> None:
    rows = wrong_from(20.3, 24.3)
    elsewhere = history(wrong_from(40, 44), phase_marks("looked at", 5, 30))
    inside = history(rows, phase_marks("looked at", 5, 30))
    assert make("looked at").check(elsewhere).outcome is Outcome.HELD
    verdict = make("looked at").check(inside)
    assert verdict.outcome is Outcome.VIOLATED, verdict.summary
    assert "in phase looked at" in verdict.title


@each
def test_a_phase_may_have_several_spans(make: Callable[[str], Guarantee]) -> None:
    spans = [*phase_marks("looked at", 5, 22), *phase_marks("looked at", 50, 58)]
    assert make("looked at").check(history(wrong_from(30, 40), spans)).outcome is Outcome.HELD


@each
@pytest.mark.parametrize(
    "marks, why",
    [
        (phase_marks("another", 5, 30), "the phase looked at is not in the record"),
        (phase_marks("looked at", 5, None), "the record has no end of the phase looked at"),
    ],
    ids=["absent", "no end"],
)
def test_unknown_without_the_phase_or_its_end(
    make: Callable[[str], Guarantee], marks: list[PhaseMark], why: str
) -> None:
    for rows in (steady(seconds=60), wrong_from(20.3, 24.3)):
        verdict = make("looked at").check(history(rows, marks))
        assert verdict.outcome is Outcome.UNKNOWN
        assert why in verdict.summary


@each
def test_lost_marks_accuse_nobody(make: Callable[[str], Guarantee]) -> None:
    lost = Damage(
        file="events-x.ckl",
        holds="events",
        kind="lost",
        since_ns=at(1),
        until_ns=at(2),
        detail="",
    )
    marks = phase_marks("looked at", 5, 30)
    damaged = history(wrong_from(20.3, 24.3), marks, damage=[lost])
    verdict = make("looked at").check(damaged)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "events may be missing" in verdict.summary
    only_the_end = history(steady(seconds=60), marks[1:], damage=[lost])
    assert make("looked at").check(only_the_end).outcome is Outcome.UNKNOWN


@each
def test_an_end_without_a_beginning_is_an_error(make: Callable[[str], Guarantee]) -> None:
    with pytest.raises(RecordError, match="phase looked at: ended but never began"):
        make("looked at").check(history(steady(seconds=60), phase_marks("looked at", 5, 30)[1:]))


def test_a_phase_ends_with_its_last_moment_and_may_hold_itself() -> None:
    rows = steady(seconds=10, rate_per_s=10)
    marks = [
        *phase_marks("p", 2, 4),
        *phase_marks("outer", 6, 9),
        *phase_marks("outer", 7, 8),
    ]
    for phase, slots in (("p", range(20, 41)), ("outer", range(60, 91))):
        chosen = select(History.of_parts(requests=rows, events=marks), Choice(phase=phase))
        assert chosen.rows.tolist() == list(slots)
        assert chosen.has_sure_windows


def test_a_phase_narrows_a_faults_window() -> None:
    rows = steady(seconds=60, outcome=bad_between((12, 13)))
    marks = phase_marks("late", 14, 30)
    for guarantee, requests in (
        (no_request_lost(phase="late", during="nic_down", minimum_requests=10), 631),
        (no_request_lost(phase="late", outside="nic_down", minimum_requests=10), 970),
    ):
        verdict = guarantee.check(history(rows, marks))
        assert verdict.outcome is Outcome.HELD
        assert next(iter(verdict.coverage.values())) == requests


@pytest.mark.parametrize(
    "fault, since_s, outcome",
    [
        (None, 40, Outcome.HELD),
        (None, 15, Outcome.UNKNOWN),
        ("nic_down", 12, Outcome.HELD),
        ("nic_down", 25, Outcome.HELD),
        ("nic_down", 15, Outcome.UNKNOWN),
    ],
)
def test_only_chunks_lost_in_the_phase_and_the_window_matter(
    fault: str | None, since_s: float, outcome: Outcome
) -> None:
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="lost",
        since_ns=at(since_s),
        until_ns=at(since_s + 1),
        detail="",
    )
    damaged = history(steady(seconds=60), phase_marks("p", 14, 30), damage=[lost])
    assert no_request_lost(phase="p", during=fault).check(damaged).outcome is outcome


def test_an_outage_touching_a_phase_counts_in_full_length() -> None:
    rows = steady(seconds=60, outcome=bad_between((3, 6)))
    verdict = outage(2, phase="p").check(history(rows, phase_marks("p", 5.5, 30)))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(3)
    assert verdict.title == "no outage longer than 2 s in phase p"


def test_a_stream_must_cover_the_phase_in_which_runs_are_judged() -> None:
    rows = steady(seconds=60, start_s=10)
    for guarantee in (outage(1, phase="p"), degradation(0.9, 1, phase="p")):
        verdict = guarantee.check(history(rows, phase_marks("p", 5, 30)))
        assert verdict.outcome is Outcome.UNKNOWN
        assert "stream kept via n1 does not cover the whole window" in verdict.summary


def test_the_sampler_is_left_out_unless_it_is_asked_for() -> None:
    ok = steady(seconds=30)
    sampler = steady(
        seconds=30,
        rate_per_s=20,
        load="sampler",
        stream="sampler new via n1",
        outcome=bad_between((10, 14)),
    )
    control = steady(seconds=30, load="c", stream="control", outcome=bad_between((10, 14)))
    record = History.of_parts(requests=[*ok, *sampler, *control])
    by_stream: tuple[Callable[[str | None], Guarantee], ...] = (
        lambda stream: availability(0.99, stream=stream),
        lambda stream: no_request_lost(stream=stream),
        lambda stream: outage(2, stream=stream),
        lambda stream: degradation(0.9, 2, stream=stream),
        lambda stream: latency(0.1, stream=stream),
    )
    for make in by_stream:
        for stream in (None, "*", "kept *"):
            assert make(stream).check(record).outcome is Outcome.HELD
        for stream in ("sampler*", "sampler new *"):
            assert make(stream).check(record).outcome is Outcome.VIOLATED
        assert make("sampler kept *").check(record).outcome is Outcome.UNKNOWN


def test_users_of_a_closed_loop_are_chosen_by_name() -> None:
    rows = [
        row._replace(user=f"user-{row.slot % 3}", outcome="fail" if row.slot % 3 == 1 else "ok")
        for row in steady(seconds=30)
    ]
    record = History.of_parts(requests=[*rows, *steady(seconds=30, load="open")])
    for make in (
        lambda user: availability(0.99, user=user),
        lambda user: no_request_lost(user=user),
        lambda user: outage(2, user=user),
        lambda user: degradation(0.9, 2, user=user),
        lambda user: latency(0.1, user=user),
        lambda user: error_classes_within(["status 503"], user=user),
    ):
        assert make("user-2").check(record).outcome is Outcome.HELD
        assert make("user-1").check(record).outcome is Outcome.VIOLATED
        assert make("nobody").check(record).outcome is Outcome.UNKNOWN
    assert availability(0.7, user="user-*").check(record).outcome is Outcome.VIOLATED
    assert availability(0.6, user="user-*").check(record).outcome is Outcome.HELD
    verdict = no_request_lost(user="user-2").check(record)
    assert verdict.title == "no request lost of user user-2"
    assert verdict.coverage["requests of user user-2"] == 1000


def test_parameters_from_before_phases_and_users_still_decode() -> None:
    old: dict[str, dict[str, object]] = {
        "availability": {"at_least": 0.9, "outside": None, "during": None, "settle_s": 0.0},
        "no_request_lost": {"connection": "new", "minimum_requests": 100},
        "outage": {"at_most_s": 3.0, "during": "nic_down", "after": None},
    }
    specs = [GuaranteeSpec(name=name, version=2, parameters=p) for name, p in old.items()]
    read = decode(specs)
    expected: list[Guarantee] = [
        availability(0.9),
        no_request_lost(connection="new"),
        outage(3, during="nic_down"),
    ]
    assert read == expected
    made = [make("p") for make in BY_PHASE.values()]
    assert decode(encode(made)) == made
    assert {spec.version for spec in encode(read)} == {4, 5}


@examples(60)
@given(
    spans=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30)), min_size=1, max_size=4),
    stray=st.lists(st.integers(0, 99), max_size=10),
)
def test_agrees_with_looking_at_each_slot(spans: list[tuple[int, int]], stray: list[int]) -> None:
    rows = [
        row if row.slot not in stray else row._replace(outcome="fail")
        for row in steady(seconds=10, rate_per_s=10)
    ]
    marks: list[PhaseMark] = []
    for start, length in spans:
        marks += phase_marks("p", start / 10, (start + length) / 10)
    inside = {slot for slot in range(100) if any(a <= slot <= a + n for a, n in spans)}
    record = History.of_parts(requests=rows, events=marks)
    verdict = no_request_lost(phase="p", minimum_requests=1).check(record)
    assert verdict.coverage["requests in phase p"] == len(inside)
    assert verdict.evidence.count == len(inside & set(stray))
    assert verdict.outcome is (Outcome.VIOLATED if inside & set(stray) else Outcome.HELD)
