"""evictions_stop and pods_evicted_within: when pods of lost nodes are given up."""

from typing import Any

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import evictions_stop, pods_evicted_within
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import FaultMark
from tests.corpus.objects import node, pod, stateful_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

KV = ("StatefulSet", "kv")
NODES = ("n1", "n2", "n3")
STOP = evictions_stop("kv", NODES, at_least_s=30, kind="StatefulSet")
WITHIN = pods_evicted_within("kv", NODES, not_before_s=30, at_most_s=50, kind="StatefulSet")


def lost(name: str, *, tainted: bool = False) -> dict[str, Any]:
    """A node that is not Ready, with or without the taint that takes its pods away."""
    made = node(name, ready="Unknown")
    if tainted:
        taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
        made["spec"] = {"taints": [taint]}
    return made


def all_cut(heal_s: float = 80) -> Story:
    """Three nodes with a member each, cut at 10 s; the first is tainted, the last lost at 27."""
    story = Story().watching("Node", "Pod", "StatefulSet")
    story.watched(0, "StatefulSet", stateful_set(), "LISTED")
    for number, name in enumerate(NODES):
        story.watched(0, "Node", node(name), "LISTED")
        member = pod(f"kv-{number}", of=KV, ready_since=-9, node=name)
        story.watched(0, "Pod", member, "LISTED")
    for number, name in enumerate(NODES):
        story.fault("nic_down", name, 10 + number / 100, heal_s)
    story.watched(25, "Node", lost("n1")).watched(25.1, "Node", lost("n1", tainted=True))
    return story.watched(26, "Node", lost("n2")).watched(27, "Node", lost("n3"))


def told_to_end(story: Story, ordinal: int, second: float) -> Story:
    """That member gets its deletionTimestamp."""
    member = pod(f"kv-{ordinal}", of=KV, node=NODES[ordinal], leaving=True)
    return story.watched(second, "Pod", member)


def test_pods_that_are_kept_hold_and_what_was_tainted_before_is_counted() -> None:
    verdict = verdict_on(STOP, told_to_end(all_cut(), 0, 46))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"nodes lost": 3, "tainted before": 1, "pods kept": 2}
    assert verdict.figures["lost_together_s"] == pytest.approx(53)


def test_a_kept_pod_that_is_told_to_end_is_the_witness() -> None:
    time_ns, text, objects = first(verdict_on(STOP, told_to_end(all_cut(), 1, 60)))
    assert (time_ns, objects) == (at(60), ["kv-1"])
    assert text == "kv-1 was told to end 33.0 s after all were lost"
    assert verdict_on(STOP, told_to_end(all_cut(), 1, 81)).outcome is Outcome.HELD


def test_a_node_that_is_tainted_later_is_the_witness() -> None:
    story = all_cut().watched(35, "Node", lost("n2", tainted=True))
    assert first(verdict_on(STOP, story)) == (at(35), "n2 was tainted", ["n2"])


def test_stop_is_unknown_where_nothing_was_to_be_stopped() -> None:
    recovered = all_cut().watched(28, "Node", node("n1"))
    for story in (
        Story(),
        all_cut(heal_s=50),
        recovered,
        all_cut().gap("Node", 40, "uid-n2"),
        told_to_end(all_cut(), 1, 60).step("delete", "pod/kv-1", 59),
    ):
        assert verdict_on(STOP, story).outcome is Outcome.UNKNOWN
    other = evictions_stop("kv", ["n1", "n9"], at_least_s=1, kind="StatefulSet")
    assert verdict_on(other, all_cut()).outcome is Outcome.UNKNOWN


def test_pods_given_up_in_time_too_soon_late_or_never() -> None:
    story = all_cut()
    for ordinal, second in enumerate((46, 46.2, 56)):
        told_to_end(story, ordinal, second)
    verdict = verdict_on(WITHIN, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["first_after_s"] == pytest.approx(35.9)
    assert verdict.figures["last_after_s"] == pytest.approx(45.88)
    for ordinal, second in ((1, 30.0), (2, 62.0)):
        wrong = told_to_end(all_cut(), ordinal, second)
        for other in {0, 1, 2} - {ordinal}:
            told_to_end(wrong, other, 46)
        time_ns, _, objects = first(verdict_on(WITHIN, wrong))
        assert (time_ns, objects) == (at(second), [f"kv-{ordinal}"])
    never = told_to_end(told_to_end(all_cut(), 0, 46), 1, 47)
    assert first(verdict_on(WITHIN, never))[1] == "kv-2 was still there after 69.9 s"


def test_within_is_unknown_when_it_was_too_short_or_nobody_was_there() -> None:
    short = all_cut(heal_s=50)
    for story in (Story(), short, told_to_end(all_cut(), 0, 46).step("delete", "pod/kv-0", 45)):
        told_to_end(story, 1, 46)
        told_to_end(story, 2, 46)
        assert verdict_on(WITHIN, story).outcome is Outcome.UNKNOWN
    nobody = pods_evicted_within("db", NODES, not_before_s=1, at_most_s=2, kind="StatefulSet")
    assert verdict_on(nobody, all_cut()).outcome is Outcome.UNKNOWN


def test_claims_of_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="claims nothing"):
        evictions_stop("kv", [], at_least_s=1)
    with pytest.raises(UsageError, match="claims nothing"):
        pods_evicted_within("kv", ["n1"], not_before_s=2, at_most_s=2)


def test_contradictory_marks_are_an_error() -> None:
    story = all_cut()
    for mark in ("healed", "injected"):
        story.events.append(
            FaultMark(
                time_ns=at(10 if mark == "healed" else 20),
                fault_id="f",
                name="nic_down",
                target="n1",
                mark=mark,
            )
        )
    for guarantee in (STOP, WITHIN):
        with pytest.raises(RecordError, match="healed before"):
            verdict_on(guarantee, story)
