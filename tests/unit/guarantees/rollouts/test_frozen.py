"""rollout_frozen: no pod gets a node while what moves the rollout is away."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import rollout_frozen
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import deployment, pod, replica_set
from tests.corpus.rollouts import NEW, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

HELD = rollout_frozen("web", fault="component_stopped")
TARGET = "kube-scheduler on server-0"


def away(*, proved: bool = True) -> Story:
    """A rollout begins at 10 s and makes its first pod at 11; the component is away from 12 to 20,
    and the next pod comes at 22.
    """
    story = three_ready_pods().step("set_image", "Deployment web", 10)
    going_on = deployment(image="app:v2", revision=2, complete=False)
    story.watched(10.1, "Deployment", going_on)
    story.watched(10.1, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.fault("component_stopped", TARGET, 12, 20, proved=proved)
    return story.watched(22, "Pod", pod("new-1", of=NEW), "ADDED")


def waiting(name: str) -> dict[str, object]:
    """A pod that has no node."""
    made = pod(name, of=NEW)
    del made["spec"]["nodeName"]
    return made


def test_a_rollout_that_stands_still_holds() -> None:
    verdict = verdict_on(HELD, away(), end_s=30)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["frozen_s"] == pytest.approx(6.9)
    made = away().watched(15, "Pod", waiting("new-1"), "ADDED")
    assert verdict_on(HELD, made).outcome is Outcome.HELD


def test_a_pod_that_gets_a_node_is_the_witness() -> None:
    story = away().watched(15, "Pod", waiting("new-2"), "ADDED")
    story.watched(16, "Pod", pod("new-2", of=NEW))
    time_ns, text, objects = first(verdict_on(HELD, story))
    assert (time_ns, objects) == (at(16), ["new-2"])
    assert text == "new-2 got a node 3.9 s after the injection"


def test_what_was_on_its_way_at_the_injection_is_not() -> None:
    story = away().watched(13, "Pod", pod("new-2", of=NEW), "ADDED")
    assert verdict_on(HELD, story).outcome is Outcome.HELD


def test_a_rollout_that_completes_in_the_window_is_violated() -> None:
    done = deployment(image="app:v2", revision=2)
    story = away().watched(18, "Deployment", done)
    time_ns, text, _ = first(verdict_on(HELD, story))
    assert (time_ns, text) == (at(20), "web was complete before the heal")


def test_unknown_without_a_rollout_a_proof_or_a_watch() -> None:
    quiet = three_ready_pods().fault("component_stopped", TARGET, 12, 20)
    for story in (
        Story(),
        quiet,
        three_ready_pods(),
        away(proved=False),
        away().gap("Pod", 15, "uid-never-seen"),
    ):
        assert verdict_on(HELD, story, end_s=30).outcome is Outcome.UNKNOWN
    longer = rollout_frozen("web", fault="component_stopped", at_least_s=10)
    assert verdict_on(longer, away()).outcome is Outcome.UNKNOWN


def test_times_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="positive"):
        rollout_frozen("web", fault="x", at_least_s=0)
