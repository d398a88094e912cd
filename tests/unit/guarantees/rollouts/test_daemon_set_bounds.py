"""daemon_set_bounds: an update takes a node's pod only while enough others have one."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import daemon_set_bounds
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import Object, pod
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

OF_SET = ("DaemonSet", "agent")
BOUNDS = daemon_set_bounds("agent")


def daemon_set(**rolling: object) -> Object:
    return {
        "metadata": {"uid": "uid-agent", "name": "agent", "namespace": NAMESPACE},
        "spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}},
        "status": {"desiredNumberScheduled": 3},
    }


def member(name: str, node: int, revision: str, **more: object) -> Object:
    made = pod(name, of=OF_SET, node=f"n{node}", **more)  # type: ignore[arg-type]
    made["metadata"]["labels"] = {"controller-revision-hash": revision}
    return made


def three_nodes(**rolling: object) -> Story:
    story = Story().clock()
    story.watched(0, "DaemonSet", daemon_set(**rolling), "LISTED")
    for node in range(3):
        made = member(f"old-{node}", node, "r1", ready_since=-60)
        story.watched(0, "Pod", made, "LISTED")
    return story.watching("DaemonSet", "Pod", second=0.1)


def replaced(story: Story, node: int, second: float, *, ready_after_s: float = 2) -> Story:
    old = member(f"old-{node}", node, "r1", ready_since=-60, leaving=True)
    story.watched(second, "Pod", old)
    story.watched(second + 0.5, "Pod", old, "DELETED")
    story.watched(second + 0.6, "Pod", member(f"new-{node}", node, "r2"), "ADDED")
    ready_s = second + ready_after_s
    new = member(f"new-{node}", node, "r2", ready_since=ready_s)
    return story.watched(ready_s, "Pod", new)


def test_one_after_the_other_holds() -> None:
    story = three_nodes(maxUnavailable=1)
    for node in range(3):
        replaced(story, node, 10 + 5 * node)
    verdict = verdict_on(BOUNDS, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"pods taken away": 3, "revisions with pods": 2}
    assert verdict.figures["fewest_nodes_available"] == 2


def test_a_second_node_before_the_first_is_back_is_violated() -> None:
    story = three_nodes(maxUnavailable=1)
    gone = member("old-0", 0, "r1", ready_since=-60, leaving=True)
    story.watched(10, "Pod", gone)
    story.watched(10.6, "Pod", member("new-0", 0, "r2"), "ADDED")
    replaced(story, 1, 12)
    time_ns, text, objects = first(verdict_on(BOUNDS, story))
    assert (time_ns, objects) == (at(12), ["old-1"])
    assert "leaves 1 nodes with an available pod where at least 2 must be" in text


@pytest.mark.parametrize("rolling", [{"maxUnavailable": 2}, {"maxUnavailable": "34%"}])
def test_what_is_allowed_is_read_from_the_set_and_rounded_up(rolling: dict[str, object]) -> None:
    story = three_nodes(**rolling)
    story.watched(10, "Pod", member("old-0", 0, "r1", ready_since=-60, leaving=True))
    replaced(story, 1, 12)
    assert verdict_on(BOUNDS, story).outcome is Outcome.HELD


def test_with_a_surge_no_node_may_be_without() -> None:
    story = replaced(three_nodes(maxSurge=1, maxUnavailable=0), 0, 10)
    assert first(verdict_on(BOUNDS, story))[0] == at(10)


def test_what_a_step_deletes_is_not_charged() -> None:
    story = three_nodes(maxUnavailable=1)
    story.watched(10, "Pod", member("old-0", 0, "r1", ready_since=-60, leaving=True))
    story.step("delete", "Pod old-1", 11.5)
    replaced(story, 1, 12)
    assert verdict_on(BOUNDS, story).outcome is Outcome.HELD


def test_nothing_to_judge_is_unknown() -> None:
    updated = replaced(three_nodes(maxUnavailable=1), 0, 10)
    for story in (Story(), three_nodes(), updated.gap("Pod", 5, "uid-never-seen")):
        assert verdict_on(BOUNDS, story).outcome is Outcome.UNKNOWN


def test_a_bound_that_is_none_is_malformed() -> None:
    with pytest.raises(RecordError):
        verdict_on(BOUNDS, three_nodes(maxUnavailable="some"))
