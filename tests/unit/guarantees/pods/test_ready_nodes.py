"""nodes_stay_ready: no node is given up, whatever it has to withstand."""

from typing import Any

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import nodes_stay_ready
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import node
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

THROUGH = nodes_stay_ready(through="nic_down")


def flapped() -> Story:
    """Two Ready nodes, one of which is cut twice."""
    story = Story().watching("Node")
    story.watched(0, "Node", node("n1"), "LISTED").watched(0, "Node", node("n2"), "LISTED")
    story.fault("nic_down", "n2", 10, 15).fault("nic_down", "n2", 20, 25)
    return story.watched(30, "Node", node("n2"))


def test_nodes_that_stay_ready_hold() -> None:
    verdict = verdict_on(THROUGH, flapped())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"nodes": 2, "injections": 2}
    assert verdict_on(nodes_stay_ready("n1"), flapped()).outcome is Outcome.HELD


@pytest.mark.parametrize("state", ["False", "Unknown"])
def test_a_node_that_is_not_ready_once_is_the_witness(state: str) -> None:
    story = flapped().watched(31, "Node", node("n2", ready=state)).watched(32, "Node", node("n2"))
    assert first(verdict_on(THROUGH, story)) == (at(31), f"node n2 was Ready={state}", ["n2"])
    assert verdict_on(nodes_stay_ready("n1"), story).outcome is Outcome.HELD


def test_a_node_that_goes_is_the_witness() -> None:
    story = flapped().watched(31, "Node", node("n1"), "DELETED")
    assert first(verdict_on(THROUGH, story)) == (at(31), "node n1 was deleted", ["n1"])


def test_unknown_without_nodes_a_fault_or_a_watch() -> None:
    unproved = Story().watching("Node").watched(0, "Node", node("n1"), "LISTED")
    for story in (
        Story(),
        Story().watching("Node"),
        unproved,
        flapped().gap("Node", 12, "uid-n2"),
        unproved.fault("nic_down", "n1", 10, 15, proved=False),
    ):
        assert verdict_on(THROUGH, story).outcome is Outcome.UNKNOWN
    assert verdict_on(nodes_stay_ready("n9"), flapped()).outcome is Outcome.UNKNOWN


def test_a_node_without_metadata_is_an_error() -> None:
    story = flapped()
    broken: dict[str, Any] = {"metadata": {"uid": "u", "name": "n3"}}
    story.watched(40, "Node", broken)
    broken["metadata"] = None
    with pytest.raises(RecordError, match="no metadata"):
        verdict_on(THROUGH, story)
