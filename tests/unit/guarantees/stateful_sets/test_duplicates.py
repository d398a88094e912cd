"""duplicate_ends_within, name_stays_taken, made_at_once."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import duplicate_ends_within, made_at_once, name_stays_taken
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import AnsweredOnNode, FaultMark
from chaoskit.history.requests import RequestRow
from tests.corpus.objects import pod, stateful_set
from tests.corpus.requests import steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

KV = ("StatefulSet", "kv")
HEALED_S = 60.3


def replaced(*, old_ended_s: float | None = 66, heard: bool = True, force: bool = True) -> Story:
    """kv-1 on n2, which freezes from 10 to 60; deleted by force at 30, made anew on n1 at 33."""
    story = Story().watching("Pod", "StatefulSet")
    story.watched(0, "StatefulSet", stateful_set(replicas=2), "LISTED")
    old = pod("kv-1", of=KV, ready_since=-9, node="n2", uid="old", container_id="c-old")
    story.watched(0, "Pod", old, "LISTED").fault("node_paused", "n2", 10, 60)
    story.step("delete", "Pod kv-1", 30, force=force)
    story.watched(30.1, "Pod", old, "DELETED")
    new = pod("kv-1", of=KV, ready_since=33, node="n1", uid="new", container_id="c-new")
    story.watched(33, "Pod", new, "ADDED")
    story.scans("n1", 100).scans("n2", 100)
    story.container("n2", "old", "c-old", 1, old_ended_s).container("n1", "new", "c-new", 32, None)
    for second in (5, 61, 62, 63) if heard else (5,):
        story.events.append(
            AnsweredOnNode(
                time_ns=at(second),
                node="n2",
                address="10.0.0.1",
                pod="kv-1",
                pod_uid="old",
                boot="b",
            )
        )
    return story.ended(100)


def answers(*, of_old_at: float | None = None) -> list[RequestRow]:
    """Requests to kv-1: the old one answers until 10, the new one from 33 on."""
    rows = steady(
        seconds=90,
        rate_per_s=10,
        outcome=lambda second: "ok" if second < 10 or second > 33 else "fail",
    )

    def uid(row: RequestRow) -> str:
        second = (row.planned_ns - at(0)) / 1e9
        is_odd = of_old_at is not None and abs(second - of_old_at) < 0.01
        return "old" if second < 10 or is_odd else "new"

    return [
        row._replace(pod="kv-1", pod_uid=uid(row)) if row.outcome == "ok" else row for row in rows
    ]


ENDS = duplicate_ends_within(20, "kv", fault="node_paused")


def test_a_second_process_that_ends_in_time_holds_with_its_window() -> None:
    verdict = verdict_on(ENDS, replaced(), answers())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["together_s"] == pytest.approx(66 - 0.05 - 32)
    assert verdict.figures["together_at_most_s"] == pytest.approx(34.05)
    assert verdict.figures["after_heal_s"] == pytest.approx(66 - 0.05 - HEALED_S)
    assert verdict.figures["heard_together_s"] == pytest.approx(2)
    assert verdict.coverage["answers of the old one to its node"] == 4


def test_a_second_process_that_lives_on_is_named() -> None:
    moment, text, names = first(verdict_on(ENDS, replaced(old_ended_s=90), answers()))
    assert moment == at(89.95)
    assert text == "the old process of kv-1 still lives 29.6 s after the heal"
    assert names == ["kv-1", "old", "n2"]
    assert verdict_on(ENDS, replaced(old_ended_s=None), answers()).outcome is Outcome.VIOLATED


def test_an_old_process_that_clients_hear_is_named() -> None:
    moment, text, names = first(verdict_on(ENDS, replaced(), answers(of_old_at=40)))
    assert moment == at(40) + 100_000
    assert text == "1 clients got an answer of the old process of kv-1"
    assert names == ["kv-1", "old"]


def test_whether_it_ended_may_be_unknown() -> None:
    unheard = verdict_on(ENDS, replaced(heard=False), answers())
    unforced = verdict_on(ENDS, replaced(force=False), answers())
    alone = verdict_on(ENDS, replaced(old_ended_s=20), answers())
    longer = duplicate_ends_within(60, "kv", fault="node_paused")
    running = verdict_on(longer, replaced(old_ended_s=None), answers())
    other = verdict_on(duplicate_ends_within(20, "kv", fault="nic_down"), replaced(), answers())
    gappy = verdict_on(ENDS, replaced().gap("Pod", 20, "old"), answers())
    for verdict in (unheard, unforced, alone, running, other, gappy):
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def away(*, told_s: float | None = 40, deleted_s: float | None = None) -> Story:
    """kv-1 on n2, cut from 10 to 60, is told to end."""
    story = Story().watching("Pod", "StatefulSet")
    story.watched(0, "StatefulSet", stateful_set(replicas=2), "LISTED")
    story.watched(0, "Pod", pod("kv-1", of=KV, ready_since=-9, node="n2", uid="old"), "LISTED")
    story.fault("nic_down", "n2", 10, 60)
    leaving = pod("kv-1", of=KV, node="n2", uid="old", leaving=True)
    if told_s is not None:
        story.watched(told_s, "Pod", leaving)
    if deleted_s is not None:
        story.watched(deleted_s, "Pod", leaving, "DELETED")
    return story


TAKEN = name_stays_taken("kv", "n2", fault="nic_down")


def test_a_name_that_stays_taken_holds() -> None:
    story = away(deleted_s=65).watched(66, "Pod", pod("kv-1", of=KV, uid="new"), "ADDED")
    verdict = verdict_on(TAKEN, story.ended(90))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["terminating_s"] == pytest.approx(20)


def test_a_pod_that_goes_and_a_twin_are_named() -> None:
    story = away(deleted_s=50).watched(51, "Pod", pod("kv-1", of=KV, uid="new"), "ADDED")
    verdict = verdict_on(TAKEN, story.ended(90))
    assert first(verdict)[:2] == (at(50), "kv-1 went before the heal")
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.text == "another kv-1 (new) came before the heal"


def test_whether_a_name_stayed_taken_may_be_unknown() -> None:
    asked = away().step("delete", "Pod kv-1", 39).ended(90)
    short = away(told_s=58).ended(90)
    elsewhere = verdict_on(name_stays_taken("kv", "n3", fault="nic_down"), away().ended(90))
    assert elsewhere.outcome is Outcome.UNKNOWN
    gappy = away().gap("Pod", 50, "old").ended(90)
    for story in (asked, short, away(told_s=None).ended(90), gappy, Story()):
        assert verdict_on(TAKEN, story).outcome is Outcome.UNKNOWN


def test_contradictory_marks_are_an_error() -> None:
    story = away()
    for second, mark in ((80, "healed"), (90, "injected")):
        story.events.append(
            FaultMark(time_ns=at(second), fault_id="f", name="nic_down", target="n2", mark=mark)  # type: ignore[arg-type]
        )
    for guarantee in (TAKEN, duplicate_ends_within(20, "kv", fault="nic_down")):
        with pytest.raises(RecordError, match="healed before"):
            verdict_on(guarantee, story)


def scaled(*, made_s: float | None = 30.5, ready: bool = False, end_s: float = 60) -> Story:
    """kv-1 is not Ready (or is); the set is scaled at 30, and kv-2 made."""
    story = Story().watching("Pod", "StatefulSet")
    story.watched(0, "StatefulSet", stateful_set(replicas=2), "LISTED")
    story.watched(0, "Pod", pod("kv-0", of=KV, ready_since=-9), "LISTED")
    one = pod("kv-1", of=KV, ready_since=-9 if ready else None)
    story.watched(0, "Pod", one, "LISTED").step("scale", "StatefulSet kv", 30)
    if made_s is not None:
        story.watched(made_s, "Pod", pod("kv-2", of=KV), "ADDED")
    return story.ended(end_s)


def test_a_member_that_is_made_at_once_holds_and_one_that_waits_is_named() -> None:
    at_once = made_at_once("kv", 2)
    verdict = verdict_on(at_once, scaled())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "kv-2 was made after 0.50 s, kv-1 not Ready"
    late = first(verdict_on(at_once, scaled(made_s=40)))
    assert late == (at(40), "kv-2 was made only after 10.0 s", ["kv-2"])
    never = first(verdict_on(at_once, scaled(made_s=None)))
    assert never[:2] == (at(33), "kv-2 was not made in 30.0 s")
    for story in (
        scaled(ready=True),
        scaled(made_s=None, end_s=31),
        scaled().gap("Pod", 20, "uid-kv-2"),
        Story(),
    ):
        assert verdict_on(at_once, story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="below"):
        made_at_once("kv", 0)
