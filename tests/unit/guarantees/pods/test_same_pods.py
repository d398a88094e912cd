"""same_pods_come_back, one_per_node."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import one_per_node, same_pods_come_back
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import FaultMark
from tests.corpus.objects import Object, pod
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

DAEMON = ("DaemonSet", "ds")
HEALED_S = 60.3


def daemon_set(*, nodes: int = 2) -> Object:
    return {
        "metadata": {"uid": "uid-ds", "name": "ds", "namespace": NAMESPACE},
        "spec": {},
        "status": {"desiredNumberScheduled": nodes},
    }


def away() -> Story:
    """ds-1 on n1 and ds-2 on n2, which loses its network from 10 to 60."""
    story = Story().watching("Pod", "DaemonSet")
    story.watched(0, "DaemonSet", daemon_set(), "LISTED")
    story.watched(0, "Pod", pod("ds-1", of=DAEMON, ready_since=-9, node="n1"), "LISTED")
    before = pod("ds-2", of=DAEMON, ready_since=-9, node="n2", container_id="c1")
    story.watched(0, "Pod", before, "LISTED")
    story.watched(27, "Pod", pod("ds-2", of=DAEMON, node="n2", container_id="c1"))
    return story.fault("nic_down", "n2", 10, 60)


def back(second: float, *, restarts: int = 0, container_id: str = "c1") -> Story:
    now = pod(
        "ds-2",
        of=DAEMON,
        ready_since=second,
        node="n2",
        container_id=container_id,
        restarts=restarts,
    )
    return away().watched(second, "Pod", now).ended(120)


SAME = same_pods_come_back(20, "ds", "n2", fault="nic_down", kind="DaemonSet")
RESTARTED = same_pods_come_back(20, "ds", "n2", fault="nic_down", restarts=1, kind="DaemonSet")


def test_the_same_pods_hold() -> None:
    verdict = verdict_on(SAME, back(65))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["ready_again_after_s"] == pytest.approx(65 - HEALED_S)
    assert verdict.coverage["pods on the node"] == 1
    assert verdict_on(RESTARTED, back(65, restarts=1, container_id="c2")).outcome is Outcome.HELD


def test_a_restart_too_many_or_too_few_is_named() -> None:
    moment, text, names = first(verdict_on(SAME, back(65, restarts=1, container_id="c2")))
    assert (moment, text) == (at(65), "ds-2 was restarted 1 times, not 0")
    assert names == ["ds-2", "uid-ds-2"]
    assert first(verdict_on(SAME, back(65, container_id="c2")))[0] == at(65)  # another container
    assert first(verdict_on(RESTARTED, back(65, restarts=2)))[0] == at(65)
    few = first(verdict_on(RESTARTED, back(65)))
    assert few[:2] == (at(HEALED_S + 20), "ds-2 is not back after 20 s: 0 restarts")


def test_a_pod_that_is_late_or_goes_is_named() -> None:
    assert first(verdict_on(SAME, back(85)))[1] == "ds-2 is Ready again only after 24.7 s"
    assert first(verdict_on(SAME, away().ended(120)))[0] == at(HEALED_S + 20)
    told = away().watched(40, "Pod", pod("ds-2", of=DAEMON, node="n2", leaving=True)).ended(120)
    text = first(verdict_on(SAME, told))[1]
    assert text == "ds-2 (uid-ds-2) was told to end 30.0 s after the fault came"


def brief(*, end_s: float = 120) -> Story:
    """ds-2's node is away for so short a time that its pod is called Ready all the while."""
    story = Story().watching("Pod", "DaemonSet").watched(0, "DaemonSet", daemon_set(), "LISTED")
    before = pod("ds-2", of=DAEMON, ready_since=-9, node="n2", container_id="c1", restarts=4)
    story.watched(0, "Pod", before, "LISTED").fault("nic_down", "n2", 10, 60)
    return story.ended(end_s)


def test_a_restart_that_is_told_only_after_the_heal_is_named() -> None:
    now = pod("ds-2", of=DAEMON, ready_since=55, node="n2", container_id="c2", restarts=5)
    for second, outcome in ((65, Outcome.VIOLATED), (81, Outcome.HELD)):
        verdict = verdict_on(SAME, brief().watched(second, "Pod", now).ended(120))
        assert verdict.outcome is outcome
    told = brief().watched(65, "Pod", now).ended(120)
    assert first(verdict_on(SAME, told))[:2] == (at(65), "ds-2 was restarted 1 times, not 0")
    once = verdict_on(RESTARTED, told)
    assert once.outcome is Outcome.HELD
    assert once.figures == {"ready_again_after_s": pytest.approx(4.7)}


def test_a_pod_of_which_nothing_was_told_since_the_heal_is_back_when_its_time_is_over() -> None:
    assert verdict_on(SAME, brief(end_s=81)).outcome is Outcome.HELD
    early = verdict_on(SAME, brief(end_s=75))
    assert early.outcome is Outcome.UNKNOWN
    assert "the record ends too early: nothing was told of ds-2 since" in early.summary


def test_whether_they_come_back_may_be_unknown() -> None:
    elsewhere = same_pods_come_back(20, "ds", "n3", fault="nic_down", kind="DaemonSet")
    assert verdict_on(elsewhere, back(65)).outcome is Outcome.UNKNOWN
    gappy = back(65).gap("Pod", 30, "uid-ds-2")
    for story in (away().ended(70), gappy, Story()):
        assert verdict_on(SAME, story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="negative"):
        same_pods_come_back(20, "ds", "n2", fault="nic_down", restarts=-1)


def test_contradictory_marks_are_an_error() -> None:
    story = away()
    for second, mark in ((80, "healed"), (90, "injected")):
        story.events.append(
            FaultMark(time_ns=at(second), fault_id="f", name="nic_down", target="n2", mark=mark)  # type: ignore[arg-type]
        )
    with pytest.raises(RecordError, match="healed before"):
        verdict_on(SAME, story)


def test_one_on_each_node_holds() -> None:
    verdict = verdict_on(one_per_node("ds"), back(65))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["nodes with a pod"] == 2


def test_two_on_one_node_and_none_on_another_are_named() -> None:
    two = back(65).watched(70, "Pod", pod("ds-3", of=DAEMON, node="n2"), "ADDED")
    moment, text, names = first(verdict_on(one_per_node("ds"), two))
    assert (moment, text) == (at(70), "n2 has 2 pods of ds: ds-2, ds-3")
    assert names == ["n2", "ds-2", "ds-3"]
    none = first(verdict_on(one_per_node("ds"), away().ended(120)))
    assert none[:2] == (at(120), "1 nodes have a Ready pod of ds, not 2")


def test_a_pod_that_leaves_counts_no_more() -> None:
    story = back(65).watched(70, "Pod", pod("ds-2", of=DAEMON, node="n2", leaving=True))
    story.watched(71, "Pod", pod("ds-3", of=DAEMON, node="n2", ready_since=71), "ADDED")
    assert verdict_on(one_per_node("ds"), story).outcome is Outcome.HELD


def test_whether_there_is_one_on_each_may_be_unknown() -> None:
    none = Story().watching("Pod", "DaemonSet")
    none.watched(0, "DaemonSet", daemon_set(nodes=0), "LISTED")
    for story in (none, back(65).gap("Pod", 30, "uid-ds-2"), Story()):
        assert verdict_on(one_per_node("ds"), story).outcome is Outcome.UNKNOWN
