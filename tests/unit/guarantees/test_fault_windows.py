"""Fault windows: from the request to the heal, and why a fault is not proved in effect."""

from typing import Any

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.history.events import FaultMark
from chaoskit.history.reader import Damage, History

SECOND_NS = 1_000_000_000

NEVER = "nic_down on n1 was never seen in effect"
ONCE = "nic_down on n1 was seen not in effect 1 times in its window"
SILENT = "nic_down on n1 was not measured for 1.6 s in its window"

#: A life without fault: measured once a second, from just after the injection to just before the
#: heal. Seconds and marks.
PROVED = (
    *((1, "requested"), (2, "injected"), (3, "effective")),
    *((4, "effective"), (5, "heal_requested"), (6, "healed")),
)


def marks(*told: tuple[float, str], name: str = "nic_down", fault_id: str = "f") -> list[FaultMark]:
    def mark(second: float, what: Any) -> FaultMark:
        return FaultMark(
            time_ns=int(second * SECOND_NS),
            fault_id=fault_id,
            name=name,
            target="n1",
            mark=what,
            detail="one-shot: it is over" if what == "injected" and fault_id == "once" else "",
        )

    return [mark(*each) for each in told]


def window_of(*told: tuple[float, str], fault_id: str = "f") -> FaultWindow:
    (window,) = fault_windows(History.of_parts(events=marks(*told, fault_id=fault_id)))
    return window


def lost_events() -> Damage:
    return Damage(
        file="events-run.ckl", holds="events", kind="torn", since_ns=0, until_ns=None, detail="torn"
    )


def test_a_window_has_the_moments_of_its_marks() -> None:
    window = window_of(*PROVED)
    assert window == FaultWindow(
        fault_id="f",
        name="nic_down",
        target="n1",
        requested_ns=SECOND_NS,
        injected_ns=2 * SECOND_NS,
        heal_requested_ns=5 * SECOND_NS,
        healed_ns=6 * SECOND_NS,
        doubts=(),
    )
    assert window.span == (SECOND_NS, 6 * SECOND_NS)
    assert window.end_ns == 6 * SECOND_NS


def test_both_ends_are_in_the_window() -> None:
    window = window_of(*PROVED)
    inside = [window.contains(at) for at in (SECOND_NS - 1, SECOND_NS, 6 * SECOND_NS)]
    assert inside == [False, True, True]
    assert not window.contains(6 * SECOND_NS + 1)


def test_a_fault_never_healed_lasts_for_ever_and_is_doubted() -> None:
    window = window_of(*PROVED[:4])
    assert window.end_ns == FOREVER_NS
    assert window.healed_ns is None
    assert window.doubts == ("the record has no heal of nic_down on n1",)


def test_a_mark_that_comes_twice_counts_where_it_was_first() -> None:
    window = window_of(*PROVED, (5.5, "heal_requested"), (9, "healed"))
    assert (window.heal_requested_ns, window.healed_ns) == (5 * SECOND_NS, 6 * SECOND_NS)


def test_what_was_measured_before_the_request_is_not_in_the_window() -> None:
    assert window_of((0.5, "ineffective"), *PROVED) == window_of(*PROVED)


def test_without_a_request_the_first_mark_begins_the_window() -> None:
    assert window_of(*PROVED[1:]).requested_ns == 2 * SECOND_NS


@pytest.mark.parametrize(
    "told, doubts",
    [
        (((1, "requested"),), ["nic_down on n1 was requested but not injected"]),
        ((*PROVED[:2], *PROVED[4:]), [NEVER]),
        (
            (*PROVED[:2], (4.5, "ineffective"), *PROVED[4:]),
            [NEVER],
        ),
        # It may be building up before it is first seen in effect, but not stop afterwards.
        ((*PROVED[:2], (2.5, "ineffective"), *PROVED[2:]), []),
        (
            (*PROVED[:4], (4.2, "ineffective"), (4.4, "ineffective"), *PROVED[4:]),
            ["nic_down on n1 was seen not in effect 2 times in its window"],
        ),
        ((*PROVED[:3], (3.5, "ineffective"), *PROVED[3:]), [ONCE]),
        ((*PROVED[:3], (3.5, "ineffective"), (4, "heal_requested"), (5, "healed")), [ONCE]),
        ((*PROVED[:3], (3, "ineffective"), *PROVED[3:]), []),
        # The moments of injection and of the request to heal are in the window.
        (((1, "requested"), (2, "injected"), (2, "effective"), (3, "heal_requested")), []),
        (((1, "requested"), (2, "injected"), (3, "effective"), (3, "heal_requested")), []),
        # Once the heal is requested it may end.
        ((*PROVED[:5], (5.5, "ineffective"), PROVED[5]), []),
        # A measurement before the injection or after the request to heal proves nothing.
        (
            (PROVED[0], (1.5, "effective"), PROVED[1], PROVED[4], (5.5, "effective"), PROVED[5]),
            [NEVER],
        ),
        ((*PROVED[:3], (4.5, "effective"), (6, "heal_requested"), (7, "healed")), []),
        (
            (*PROVED[:3], (4.6, "effective"), (6, "heal_requested"), (7, "healed")),
            [SILENT],
        ),
        (
            (*PROVED[:4], (5.6, "heal_requested"), (7, "healed")),
            [SILENT],
        ),
        (
            (PROVED[0], (1.4, "injected"), *PROVED[2:]),
            [SILENT],
        ),
        # Without a request to heal it must be measured until it was healed.
        ((*PROVED[:4], (6, "healed")), ["nic_down on n1 was not measured for 2.0 s in its window"]),
    ],
)
def test_what_keeps_a_fault_from_being_proved(
    told: tuple[tuple[float, str], ...], doubts: list[str]
) -> None:
    assert list(window_of(*told).doubts) == doubts


def test_what_is_over_in_a_moment_is_proved_by_one_measurement() -> None:
    told = (*PROVED[:2], (2.1, "effective"))
    assert window_of(*told, fault_id="once").doubts == ()
    assert window_of(*told, fault_id="f").doubts
    assert window_of(*PROVED[:2], fault_id="once").doubts


def test_windows_are_those_of_the_name_by_time() -> None:
    later = [(second + 10, what) for second, what in PROVED]
    events = [
        *marks(*later, fault_id="b"),
        *marks(*PROVED, fault_id="a"),
        *marks(*PROVED, name="pod_kill", fault_id="c"),
    ]
    history = History.of_parts(events=events)
    assert [window.fault_id for window in fault_windows(history, "nic_down")] == ["a", "b"]
    assert {window.fault_id for window in fault_windows(history)} == {"a", "b", "c"}
    assert fault_windows(history, "other") == []


def test_doubts_of_all_windows_are_told_and_none_at_all_is_one() -> None:
    assert fault_doubts([], "nic_down") == ["the fault nic_down was never injected"]
    assert fault_doubts([window_of(*PROVED)], "nic_down") == []
    twice = [window_of(*PROVED[:1]), window_of(*PROVED[:4])]
    assert fault_doubts(twice, "nic_down") == [
        "nic_down on n1 was requested but not injected",
        "the record has no heal of nic_down on n1",
    ]


def test_marks_that_contradict_each_other_are_an_error() -> None:
    other = FaultMark(time_ns=9, fault_id="f", name="nic_down", target="n2", mark="healed")
    with pytest.raises(RecordError, match="fault f: has marks of several faults"):
        fault_windows(History.of_parts(events=[*marks(*PROVED), other]))
    with pytest.raises(RecordError, match="fault f: was healed before it was injected"):
        window_of((1, "healed"), (2, "injected"))
    with pytest.raises(RecordError, match="fault f: is in effect but was never injected"):
        window_of((1, "requested"), (3, "effective"))


def test_healed_in_the_moment_of_the_injection_is_no_contradiction() -> None:
    assert window_of((2, "injected"), (2, "healed")).healed_ns == 2 * SECOND_NS


def test_where_marks_are_lost_a_missing_one_is_only_a_doubt() -> None:
    events = marks((1, "requested"), (3, "effective"))
    (window,) = fault_windows(History.of_parts(events=events, damage=[lost_events()]))
    assert window.doubts == ("nic_down on n1 was requested but not injected",)
