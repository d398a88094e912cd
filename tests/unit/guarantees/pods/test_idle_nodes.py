"""nothing_starts, nothing_bound, steps_fail, evictions_wait."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import evictions_wait, nothing_bound, nothing_starts, steps_fail
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import FaultMark, StepMark
from tests.corpus.budgets import budget, evicted
from tests.corpus.objects import Object, pod
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

STOPPED = ("component_stopped", "kubelet on n2")


def stopped() -> Story:
    """The kubelet of n2 is stopped from 10 to 30."""
    story = Story().watching("Pod").fault(*STOPPED, 10, 30)
    return story.scans("n2", 60)


STARTS = nothing_starts("n2", fault="component_stopped")


def test_a_container_that_stays_dead_holds() -> None:
    story = (
        stopped()
        .container("n2", "uid-web-1", "c1", 1, 15)
        .container("n2", "uid-web-1", "c2", 32, None)
    )
    verdict = verdict_on(STARTS, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["containers ended"] == 1
    assert verdict.figures["idle_s"] == pytest.approx(19.9)


def test_a_pod_that_waits_is_a_reason_to_start() -> None:
    story = stopped().watched(12, "Pod", pod("late", node="n2", waiting="ContainerCreating"))
    verdict = verdict_on(STARTS, story.ended(60))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["pods waiting"] == 1


def test_a_container_that_starts_is_named() -> None:
    story = stopped().watched(1, "Pod", pod("web-1", node="n2"), "LISTED")
    story.container("n2", "uid-web-1", "c1", 2, 15).container("n2", "uid-web-1", "c2", 18, None)
    moment, text, names = first(verdict_on(STARTS, story))
    assert (moment, text) == (at(18), "a container of web-1 started after 7.9 s")
    assert names == ["web-1", "c2"]


def test_whether_anything_starts_may_be_unknown() -> None:
    idle = stopped().ended(60)
    unscanned = Story().watching("Pod").fault(*STOPPED, 10, 30)
    unscanned.watched(12, "Pod", pod("late", node="n2", waiting="ContainerCreating"))
    elsewhere = Story().watching("Pod").fault("component_stopped", "kubelet on n1", 10, 30)
    for story in (idle, unscanned.ended(60), elsewhere.ended(60), Story()):
        assert verdict_on(STARTS, story).outcome is Outcome.UNKNOWN


BOUND = nothing_bound("n2", fault="node_cordoned")


def cordoned(**nodes: str) -> Story:
    """n2 is cordoned from 10 to 30; pods by name come at 15, bound to these nodes."""
    story = Story().watching("Pod")
    story.watched(0, "Pod", pod("web-1", node="n2"), "LISTED")
    story.fault("node_cordoned", "n2", 10, 30)
    for name, node in nodes.items():
        story.watched(15, "Pod", pod(name, node=node), "ADDED")
    return story.ended(60)


def test_pods_that_go_elsewhere_hold_and_one_that_does_not_is_named() -> None:
    verdict = verdict_on(BOUND, cordoned(a="n1", b="n3"))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["pods bound to other nodes"] == 2
    moment, text, names = first(verdict_on(BOUND, cordoned(a="n1", b="n2")))
    assert (moment, text, names) == (at(15), "b was bound to n2", ["b", "n2"])
    daemon = cordoned(a="n1")
    daemon.watched(16, "Pod", pod("ds-1", of=("DaemonSet", "ds"), node="n2"), "ADDED")
    assert verdict_on(BOUND, daemon).outcome is Outcome.HELD


def test_whether_one_was_bound_may_be_unknown() -> None:
    gappy = cordoned(a="n1").gap("Pod", 20, "uid-a")
    for story in (cordoned(), gappy, Story()):
        assert verdict_on(BOUND, story).outcome is Outcome.UNKNOWN


FAIL = steps_fail("exec", "web-1", fault="component_stopped")


def tried(*, before: str | None = "done", during: str | None = "failed") -> Story:
    story = stopped()
    if before is not None:
        story.step("exec", "Pod web-1", 5, end=before)  # type: ignore[arg-type]
    if during is not None:
        story.step("exec", "Pod web-1", 15, end=during)  # type: ignore[arg-type]
    return story.ended(60)


def test_a_step_that_fails_only_during_the_fault_holds() -> None:
    verdict = verdict_on(FAIL, tried())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"tried during the fault": 1, "tried outside": 1}


def test_a_step_that_is_done_or_fails_without_the_fault_is_named() -> None:
    done = first(verdict_on(FAIL, tried(during="done")))
    assert done[:2] == (at(15), "exec of web-1 was done during component_stopped")
    assert first(verdict_on(FAIL, tried(before="failed")))[0] == at(5)


def test_whether_a_step_fails_may_be_unknown() -> None:
    unended = tried()
    unended.events.append(
        StepMark(time_ns=at(20), step_id="x", name="exec", target="Pod web-1", mark="started")
    )
    for story in (tried(before=None), tried(during=None), unended, Story()):
        assert verdict_on(FAIL, story).outcome is Outcome.UNKNOWN


def test_contradictions_are_errors() -> None:
    story = tried()
    for second, mark in ((40, "healed"), (50, "injected")):
        story.events.append(
            FaultMark(
                time_ns=at(second),
                fault_id="f",
                name="component_stopped",
                target="kubelet on n2",
                mark=mark,  # type: ignore[arg-type]
            )
        )
    for guarantee in (FAIL, STARTS):
        with pytest.raises(RecordError, match="healed before"):
            verdict_on(guarantee, story)
    ended = Story()
    ended.events.append(
        StepMark(time_ns=at(20), step_id="x", name="exec", target="Pod web-1", mark="done")
    )
    with pytest.raises(RecordError, match="never started"):
        verdict_on(FAIL, ended)


WAITS = evictions_wait("web", at_least_s=3)


def of_web(name: str, reason: str = "EvictionByEvictionAPI") -> Object:
    gone = evicted(pod(name, leaving=True), reason)
    gone["metadata"]["labels"] = {"app": "web"}
    return gone


def allowing(number: int) -> Object:
    shown = budget(maxUnavailable=1)
    shown["status"]["disruptionsAllowed"] = number
    return shown


def drained(second_s: float, *, allowed_s: float = 15) -> Story:
    """web-1 is evicted at 10, web-2 later; in between the budget allows none until `allowed_s`."""
    story = Story().watching("PodDisruptionBudget", "Pod")
    story.watched(0, "PodDisruptionBudget", allowing(1), "LISTED")
    story.watched(10, "Pod", of_web("web-1")).watched(10.1, "PodDisruptionBudget", allowing(0))
    story.watched(allowed_s, "PodDisruptionBudget", allowing(1))
    return story.watched(second_s, "Pod", of_web("web-2")).ended(60)


def test_an_eviction_that_waits_holds() -> None:
    verdict = verdict_on(WAITS, drained(15.5))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["longest_wait_s"] == pytest.approx(4.9)


def test_evictions_that_did_not_wait_are_named() -> None:
    moment, text, names = first(verdict_on(WAITS, drained(11)))
    assert (moment, text) == (at(11), "no eviction waited longer than 0.9 s")
    assert names == ["web-1", "web-2"]
    # Late, but not for want of leave.
    assert first(verdict_on(WAITS, drained(30, allowed_s=11)))[0] == at(30)


def test_whether_one_waited_may_be_unknown() -> None:
    one = Story().watching("PodDisruptionBudget", "Pod")
    one.watched(0, "PodDisruptionBudget", allowing(1), "LISTED").watched(10, "Pod", of_web("web-1"))
    other = drained(15.5).gap("Pod", 12, "uid-web-2")
    for story in (one.ended(60), other, Story()):
        assert verdict_on(WAITS, story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="positive"):
        evictions_wait("web", at_least_s=0)
