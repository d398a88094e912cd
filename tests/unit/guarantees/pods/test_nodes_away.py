"""evicted_between, not_evicted, moves_off_within, no_surplus_after, never_made_again."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import (
    evicted_between,
    moves_off_within,
    never_made_again,
    no_surplus_after,
    not_evicted,
)
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import ContainerSeen, FaultMark
from tests.corpus.budgets import evicted
from tests.corpus.objects import deployment, pod, replica_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

CUT_S, HEAL_S = 10, 70
BY_TAINT = "DeletionByTaintManager"
CONTAINERS = {"web-1": "c1", "web-2": "c2", "web-3": "c3"}


def cut(*, gone_s: float | None = 45, reason: str = BY_TAINT, heal_s: float = HEAL_S) -> Story:
    """web-1 on n1 and web-2 on n2, which is cut; web-2 is told to end, web-3 takes its place."""
    story = Story().watching("Node", "Pod", "Deployment", "ReplicaSet", "EndpointSlice")
    story.watched(0, "Deployment", deployment(replicas=2), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    for name, node in (("web-1", "n1"), ("web-2", "n2")):
        one = pod(name, ready_since=-9, node=node, container_id=CONTAINERS[name])
        story.watched(0, "Pod", one, "LISTED")
    story.watched(25, "Pod", pod("web-2", node="n2", container_id="c2"))
    story.fault("nic_down", "n2", CUT_S, heal_s)
    if gone_s is not None:
        going = pod("web-2", node="n2", leaving=True, container_id="c2")
        story.watched(gone_s, "Pod", evicted(going, reason))
    return story


def replaced(story: Story, *, ready_s: float = 50) -> Story:
    new = pod("web-3", node="n1", container_id="c3")
    story.watched(46, "Pod", new, "ADDED")
    story.watched(ready_s, "Pod", pod("web-3", ready_since=ready_s, node="n1", container_id="c3"))
    return story


def over(
    *, pod_gone_s: float | None = 80, old_ended_s: float | None = 79, end_s: float = 200
) -> Story:
    """The whole story: the old pod's object goes, and its process ends."""
    story = replaced(cut())
    if pod_gone_s is not None:
        story.watched(pod_gone_s, "Pod", pod("web-2", node="n2", leaving=True), "DELETED")
    for node in ("n1", "n2"):
        story.scans(node, end_s)
    story.container("n1", "uid-web-1", "c1", 0.5, None)
    story.container("n2", "uid-web-2", "c2", 0.5, old_ended_s)
    story.container("n1", "uid-web-3", "c3", 47, None)
    return story.ended(end_s)


GOES = evicted_between("web", "n2", 30, 50, fault="nic_down")


def test_a_pod_that_goes_in_its_time_holds() -> None:
    verdict = verdict_on(GOES, cut())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["web-2_went_after_s"] == pytest.approx(35)
    assert verdict.coverage["pods on the node"] == 1


def test_a_pod_that_goes_too_soon_too_late_or_never_is_named() -> None:
    assert first(verdict_on(GOES, cut(gone_s=39)))[0] == at(39)
    late = first(verdict_on(GOES, cut(gone_s=65)))
    assert late[:2] == (at(65), f"web-2 was told to end only after 55.0 s, by {BY_TAINT}")
    never = verdict_on(evicted_between("web", "n2", 30, 50, fault="nic_down"), cut(gone_s=None))
    assert first(never)[0] == at(HEAL_S)


def test_whether_it_went_in_time_may_be_unknown() -> None:
    somebody = verdict_on(GOES, cut(reason="EvictionByEvictionAPI"))
    unsure = verdict_on(GOES, cut(gone_s=40.05))  # between the request and its end
    short = verdict_on(GOES, cut(gone_s=None, heal_s=40))
    nobody_there = verdict_on(evicted_between("web", "n3", 30, 50, fault="nic_down"), cut())
    gappy = verdict_on(GOES, cut().gap("Pod", 20, "uid-web-2"))
    for verdict in (somebody, unsure, short, nobody_there, gappy):
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def test_a_pod_that_stays_holds_and_one_that_goes_is_named() -> None:
    stays = not_evicted("web", "n2", fault="nic_down", at_least_s=50)
    verdict = verdict_on(stays, cut(gone_s=None))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["stayed_s"] == pytest.approx(59.9)
    assert first(verdict_on(stays, cut()))[:2] == (at(45), "web-2 was told to end after 35.0 s")
    assert verdict_on(stays, cut(gone_s=None, heal_s=50)).outcome is Outcome.UNKNOWN
    elsewhere = not_evicted("web", "n3", fault="nic_down", at_least_s=50)
    assert verdict_on(elsewhere, cut(gone_s=None)).outcome is Outcome.UNKNOWN


def test_times_that_are_no_span_are_refused() -> None:
    for times in ((-1, 2), (3, 3)):
        with pytest.raises(UsageError, match="span"):
            evicted_between("web", "n2", *times, fault="nic_down")


MOVES = moves_off_within(50, "web", "n2", fault="nic_down")


def test_pods_that_run_elsewhere_in_time_hold() -> None:
    verdict = verdict_on(MOVES, replaced(cut()))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["moved_after_s"] == pytest.approx(39.9)


def test_pods_that_run_elsewhere_late_or_never_are_named() -> None:
    assert first(verdict_on(MOVES, replaced(cut(), ready_s=65)))[0] == at(65)
    text = first(verdict_on(MOVES, cut()))[1]
    assert text == "after 59.9 s not all pods are Ready on other nodes"


def test_whether_they_moved_may_be_unknown() -> None:
    assert verdict_on(MOVES, cut(heal_s=50)).outcome is Outcome.UNKNOWN
    assert verdict_on(MOVES, Story()).outcome is Outcome.UNKNOWN
    gappy = replaced(cut()).gap("Deployment", 20, "uid-web")
    assert verdict_on(MOVES, gappy).outcome is Outcome.UNKNOWN


FEW = no_surplus_after(30, "web", fault="nic_down")


def test_as_many_pods_and_processes_as_wanted_hold() -> None:
    verdict = verdict_on(FEW, over())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["settled_after_s"] == pytest.approx(9.7)
    early = verdict_on(FEW, over(end_s=90))  # before the limit, and nothing is left to settle
    assert early.outcome is Outcome.HELD, early.summary


def test_a_pod_that_is_too_many_is_named() -> None:
    moment, text, names = first(verdict_on(FEW, over(pod_gone_s=None, old_ended_s=None)))
    assert moment == at(HEAL_S + 0.3 + 30)
    assert text == "web has 3 pods where it wants 2"
    assert set(names) == {"web-1", "web-2", "web-3"}
    assert first(verdict_on(FEW, over(pod_gone_s=120)))[1].startswith("web has 3 pods")


def test_a_process_whose_pod_is_gone_is_named() -> None:
    text = first(verdict_on(FEW, over(old_ended_s=None)))[1]
    assert text == "web-2 still runs on n2, though its pod is gone"


def test_whether_there_is_one_too_many_may_be_unknown() -> None:
    short = over(pod_gone_s=None, old_ended_s=None, end_s=90)
    stray = over(old_ended_s=None, end_s=90)
    unscanned = replaced(cut()).watched(80, "Pod", pod("web-2", node="n2"), "DELETED").ended(200)
    unhealed = replaced(cut(heal_s=500)).ended(499)
    for story in (short, stray, unscanned, unhealed, Story()):
        assert verdict_on(FEW, story).outcome is Outcome.UNKNOWN


def test_scans_out_of_order_are_an_error() -> None:
    story = over()
    story.events.append(
        ContainerSeen(
            time_ns=at(1),
            node="n2",
            pod_uid="uid-web-1",
            container_id="c1",
            state="gone",
            before_ns=at(2),
        )
    )
    with pytest.raises(RecordError):
        verdict_on(FEW, story)


def test_contradictory_marks_are_an_error() -> None:
    story = cut()
    for second, mark in ((80, "healed"), (90, "injected")):
        story.events.append(
            FaultMark(time_ns=at(second), fault_id="f", name="nic_down", target="n2", mark=mark)  # type: ignore[arg-type]
        )
    for guarantee in (GOES, MOVES, FEW):
        with pytest.raises(RecordError, match="healed before"):
            verdict_on(guarantee, story)


def alone(*, again_s: float | None = None, end_s: float = 100) -> Story:
    story = Story().watching("Pod")
    story.watched(0, "Pod", pod("bare", ready_since=-9), "LISTED")
    story.watched(60, "Pod", pod("bare", leaving=True))
    story.watched(80, "Pod", pod("bare", leaving=True), "DELETED")
    if again_s is not None:
        story.watched(again_s, "Pod", pod("bare", uid="second", node="n1"), "ADDED")
    return story.ended(end_s)


def test_a_pod_that_stays_gone_holds_and_one_that_is_made_again_is_named() -> None:
    guarantee = never_made_again("bare")
    verdict = verdict_on(guarantee, alone())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["gone_for_s"] == pytest.approx(20)
    moment, text, names = first(verdict_on(guarantee, alone(again_s=85)))
    assert (moment, text) == (at(85), "another bare came 5.0 s later, on n1")
    assert names == ["bare", "second"]
    there = Story().watching("Pod").watched(0, "Pod", pod("bare"), "LISTED").ended(90)
    gappy = alone().gap("Pod", 50, "uid-bare")
    for story in (alone(end_s=81), there, gappy, Story()):
        assert verdict_on(guarantee, story).outcome is Outcome.UNKNOWN
