"""node_not_ready_within, recovers_within, ordinary_delete_sticks."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import node_not_ready_within, ordinary_delete_sticks, recovers_within
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import FaultMark
from tests.corpus.objects import node, pod, stateful_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

KV = ("StatefulSet", "kv")


def cut(*, not_ready_s: float | None = 25, heal_s: float = 60) -> Story:
    """nic_down on n2 from 10 to `heal_s`; the node turns Unknown at its time."""
    story = Story().watching("Node", "Pod", "StatefulSet")
    story.watched(0, "Node", node("n2"), "LISTED").watched(0, "Node", node("n1"), "LISTED")
    story.watched(0, "StatefulSet", stateful_set(replicas=1), "LISTED")
    story.watched(0, "Pod", pod("kv-0", of=KV, ready_since=-9, node="n2"), "LISTED")
    if not_ready_s is not None:
        story.watched(not_ready_s, "Node", node("n2", ready="Unknown"))
        story.watched(not_ready_s, "Pod", pod("kv-0", of=KV, node="n2"))
    return story.fault("nic_down", "n2", 10, heal_s)


def test_node_marked_in_time_late_or_never() -> None:
    guarantee = node_not_ready_within("n2", 20)
    in_time = verdict_on(guarantee, cut())
    assert in_time.outcome is Outcome.HELD
    assert in_time.figures["not_ready_after_s"] == pytest.approx(14.9)
    assert first(verdict_on(guarantee, cut(not_ready_s=35)))[0] == at(35)
    assert first(verdict_on(guarantee, cut(not_ready_s=None)))[0] == at(60)


def test_node_guarantee_is_unknown_when_the_fault_was_short_absent_or_elsewhere() -> None:
    short = cut(not_ready_s=None, heal_s=20)
    assert verdict_on(node_not_ready_within("n2", 20), short).outcome is Outcome.UNKNOWN
    assert verdict_on(node_not_ready_within("n1", 20), cut()).outcome is Outcome.UNKNOWN
    assert verdict_on(node_not_ready_within("n2", 20), Story()).outcome is Outcome.UNKNOWN
    gappy = cut().gap("Node", 15, "uid-n2")
    assert verdict_on(node_not_ready_within("n2", 20), gappy).outcome is Outcome.UNKNOWN


def test_recovery_in_time_late_or_never() -> None:
    guarantee = recovers_within(30, "kv", kind="StatefulSet", fault="nic_down")
    story = cut().watched(75, "Pod", pod("kv-0", of=KV, ready_since=75)).ended(100)
    verdict = verdict_on(guarantee, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["recovery_s"] == pytest.approx(14.7)
    late = cut().watched(95, "Pod", pod("kv-0", of=KV, ready_since=95)).ended(100)
    assert first(verdict_on(guarantee, late))[0] == at(95)
    assert first(verdict_on(guarantee, cut().ended(100)))[0] == at(90.3)


def test_recovery_is_unknown_when_the_record_ends_or_nothing_was_healed() -> None:
    guarantee = recovers_within(30, "kv", kind="StatefulSet")
    assert verdict_on(guarantee, cut().ended(80)).outcome is Outcome.UNKNOWN
    assert verdict_on(guarantee, Story()).outcome is Outcome.UNKNOWN
    absent = recovers_within(30, "absent", kind="StatefulSet")
    assert verdict_on(absent, cut().ended(100)).outcome is Outcome.UNKNOWN


def test_recovery_after_a_step() -> None:
    story = cut().step("undo", "statefulset/kv", 62)
    story.watched(70, "Pod", pod("kv-0", of=KV, ready_since=70))
    guarantee = recovers_within(30, "kv", kind="StatefulSet", after="undo")
    verdict = verdict_on(guarantee, story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["recovery_s"] == pytest.approx(7.9)


def test_what_a_step_takes_may_be_seen_a_moment_after_it() -> None:
    guarantee = recovers_within(5, "kv", kind="StatefulSet", after="delete")
    story = Story().watching("Pod", "StatefulSet")
    story.watched(1, "StatefulSet", stateful_set(replicas=1), "LISTED")
    story.watched(1, "Pod", pod("kv-0", of=KV, ready_since=0), "LISTED")
    story.step("delete", "pod/kv-0", 10)
    story.watched(10.2, "Pod", pod("kv-0", of=KV, ready_since=0, leaving=True))
    story.watched(10.6, "Pod", pod("kv-0", of=KV, leaving=True), "DELETED")
    story.watched(18, "Pod", pod("kv-0", of=KV, ready_since=18, uid="next"), "ADDED").ended(30)
    verdict = verdict_on(guarantee, story)
    assert first(verdict)[:2] == (at(18), "kv recovered only after 7.9 s")


def test_ordinary_delete_that_sticks_until_forced_holds() -> None:
    story = cut().step("delete", "pod/kv-0", 30)
    story.watched(30.1, "Pod", pod("kv-0", of=KV, node="n2", leaving=True))
    story.step("delete", "pod/kv-0", 40, force=True)
    story.watched(40.1, "Pod", pod("kv-0", of=KV, node="n2", leaving=True), "DELETED")
    verdict = verdict_on(ordinary_delete_sticks("kv-0"), story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["stuck_s"] == pytest.approx(10)
    longer = ordinary_delete_sticks("kv-0", at_least_s=20)
    assert verdict_on(longer, story).outcome is Outcome.UNKNOWN


def test_ordinary_delete_that_removes_the_pod_is_violated() -> None:
    story = cut().step("delete", "pod/kv-0", 30)
    story.watched(30.1, "Pod", pod("kv-0", of=KV, node="n2", leaving=True))
    story.watched(33, "Pod", pod("kv-0", of=KV, node="n2", leaving=True), "DELETED")
    assert first(verdict_on(ordinary_delete_sticks("kv-0"), story))[0] == at(33)


def test_ordinary_delete_without_a_trace_is_violated() -> None:
    story = cut().step("delete", "pod/kv-0", 30)
    assert first(verdict_on(ordinary_delete_sticks("kv-0"), story))[0] == at(60)


def test_ordinary_delete_is_unknown_when_it_never_happened() -> None:
    forced = cut().step("delete", "pod/kv-0", 40, force=True)
    for story in (Story(), cut(), forced):
        assert verdict_on(ordinary_delete_sticks("kv-0"), story).outcome is Outcome.UNKNOWN


def test_contradictory_marks_are_an_error() -> None:
    story = Story()
    for second, mark in ((10, "healed"), (20, "injected")):
        story.events.append(
            FaultMark(
                time_ns=at(second),
                fault_id="f",
                name="nic_down",
                target="n2",
                mark=mark,  # type: ignore[arg-type]
            )
        )
    with pytest.raises(RecordError, match="healed before"):
        verdict_on(node_not_ready_within("n2", 20), story)


def test_a_heal_that_the_next_fault_comes_too_soon_after_is_no_recovery_to_judge() -> None:
    guarantee = recovers_within(30, "kv", kind="StatefulSet", fault="nic_down")
    story = cut(not_ready_s=15, heal_s=20).fault("nic_down", "n2", 40, 60)
    story.watched(75, "Pod", pod("kv-0", of=KV, ready_since=75)).ended(100)
    verdict = verdict_on(guarantee, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["recoveries"] == 1
    # Between two that lie far enough apart it has to recover.
    apart = cut(not_ready_s=15, heal_s=20).fault("nic_down", "n2", 60, 62)
    apart.watched(75, "Pod", pod("kv-0", of=KV, ready_since=75)).ended(100)
    assert first(verdict_on(guarantee, apart))[0] == at(75)
