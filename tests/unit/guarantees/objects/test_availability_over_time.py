"""When a pod counts as available, to the nanosecond of its limits."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees.objects.availability_over_time import (
    DECIDED_NS,
    SLACK_NS,
    Pods,
    PodState,
    has_left,
    wall_offset_ns,
)
from chaoskit.guarantees.objects.bounds import resolved, rounded_up
from chaoskit.history.events import Watched
from chaoskit.history.reader import History
from tests.corpus.objects import Object, pod
from tests.corpus.story import Story
from tests.corpus.times import START_NS, WALL_START_NS, at

OFFSET_NS = WALL_START_NS - START_NS


def seen(second: float, obj: Object, change: str = "MODIFIED") -> Watched:
    event = Story().watched(second, "Pod", obj, change).events[0]  # type: ignore[arg-type]
    assert isinstance(event, Watched)
    return event


def state(ready_s: float | None = 5, unready_s: float | None = None, **how: bool) -> PodState:
    return PodState(
        seen(1, pod("web-1", **how)),  # type: ignore[arg-type]
        None if ready_s is None else at(ready_s),
        None if unready_s is None else at(unready_s),
    )


def test_a_ready_pod_may_be_available_a_second_early_and_surely_is_a_little_late() -> None:
    ready = state()
    assert not ready.is_available(at(14) - 1, 10)
    assert ready.is_available(at(14), 10)
    assert not ready.is_surely_available(at(15) + DECIDED_NS - 1, 10)
    assert ready.is_surely_available(at(15) + DECIDED_NS, 10)
    assert (SLACK_NS, DECIDED_NS) == (1_000_000_000, 250_000_000)


def test_a_pod_that_is_no_longer_ready_was_available_for_a_second_more() -> None:
    gone = state(unready_s=20)
    assert gone.is_available(at(21), 10)
    assert not gone.is_available(at(21) + 1, 10)
    assert not gone.is_surely_available(at(20), 0)
    assert state(unready_s=14).is_available(at(14), 10)
    assert not state(unready_s=13.9).is_available(at(14), 10)


def test_pods_that_leave_have_ended_or_were_never_ready_are_not_available() -> None:
    for other in (state(leaving=True), state(None)):
        assert not other.is_available(at(99), 0)
        assert not other.is_surely_available(at(99), 0)
        assert not other.is_serving()
    ended = pod("web-1", ready_since=1)
    ended["status"]["phase"] = "Failed"
    assert not PodState(seen(1, ended), at(1)).is_counted()
    assert state().is_serving()
    assert not state(unready_s=6).is_serving()


def test_pods_come_change_and_go() -> None:
    pods = Pods(OFFSET_NS)
    pods.apply(seen(6, pod("web-1", ready_since=4)))
    assert pods.by_uid["uid-web-1"].ready_ns == at(4)
    pods.apply(seen(7, pod("web-2")))
    assert (pods.counted(), pods.available(at(8), 0)) == (2, 1)
    for second in (8, 9):
        pods.apply(seen(second, pod("web-1")))
        assert pods.by_uid["uid-web-1"].unready_ns == at(8)
    pods.apply(seen(10, pod("web-1", ready_since=30)))
    again = pods.by_uid["uid-web-1"]
    assert (again.ready_ns, again.unready_ns) == (at(10), None)
    pods.apply(seen(11, pod("web-1"), "DELETED"))
    pods.apply(seen(12, pod("never-seen"), "DELETED"))
    assert list(pods.by_uid) == ["uid-web-2"]
    assert pods.by_uid["uid-web-2"].unready_ns is None


def test_without_the_time_of_the_wall_a_pod_is_ready_when_it_is_seen_so() -> None:
    pods = Pods(None)
    pods.apply(seen(6, pod("web-1", ready_since=4)))
    stampless = pod("web-2", ready_since=4)
    del stampless["status"]["conditions"][0]["lastTransitionTime"]
    Pods(OFFSET_NS).apply(seen(6, stampless))
    pods.apply(seen(7, stampless))
    assert [each.ready_ns for each in pods.by_uid.values()] == [at(6), at(7)]


def test_the_time_of_the_wall_comes_from_the_first_pair() -> None:
    assert wall_offset_ns(History.of_parts(events=Story().clock().events)) == OFFSET_NS
    assert wall_offset_ns(History.of_parts()) is None


def test_a_counted_pod_leaves_when_it_is_being_deleted_or_gone() -> None:
    leaving = pod("web-1", leaving=True)
    assert has_left(state(), None)
    assert has_left(state(), leaving)
    assert not has_left(state(), pod("web-1"))
    assert not has_left(state(leaving=True), None)
    assert not has_left(None, None)


def test_bounds_are_rounded_as_kubernetes_does() -> None:
    assert resolved("25%", "25%", 10) == (3, 2)
    assert resolved("0%", "5%", 10) == (0, 1)
    assert resolved(0, 0, 10) == (0, 1)
    assert resolved(2, 0, 10) == (2, 0)
    assert resolved(0, 3, 10) == (0, 3)
    assert (rounded_up("30%", 5), rounded_up(4, 5)) == (2, 4)
    with pytest.raises(RecordError) as caught:
        resolved("a few", 0, 10)
    assert str(caught.value) == ("a bound: is neither a number nor a percentage\n  seen: a few")
