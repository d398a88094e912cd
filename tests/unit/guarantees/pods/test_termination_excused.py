"""termination_in_order: ends that are nobody's fault, and those that something else explains."""

from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import node
from tests.corpus.terminations import (
    running,
    serving,
    terminated,
)
from tests.unit.guarantees.pods.test_termination import check


def test_pods_that_garbage_collection_or_the_kubelet_ends_are_not_charged() -> None:
    for disruption, outcome in (
        ("DeletionByPodGC", Outcome.UNKNOWN),
        ("TerminationByKubelet", Outcome.UNKNOWN),
        ("EvictionByEvictionAPI", Outcome.VIOLATED),
    ):
        story = terminated(serving("web-0"), 10, object_s=None, container_s=None)
        gone = running("web-0", deleted_s=10, disruption=disruption)
        verdict = check(story.watched(15, "Pod", gone, "DELETED").ended(100))
        assert verdict.outcome is outcome


def test_pods_that_never_ran_or_had_finished_are_counted_and_not_judged() -> None:
    story = terminated(serving("web-0"), 10)
    pending = running("web-1")
    pending["status"]["containerStatuses"] = []
    finished = running("web-2", ended=(5, 0))
    finished["status"]["phase"] = "Succeeded"
    for name, obj in (("web-1", pending), ("web-2", finished)):
        story.watched(1, "Pod", obj, "ADDED").watched(20, "Pod", obj, "DELETED")
        assert obj["metadata"]["name"] == name
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["pods that never ran or had finished"] == 2


def test_what_a_disturbance_explains_is_a_doubt() -> None:
    for target, outcome in (
        ("Node n1", Outcome.UNKNOWN),
        ("Pod web-0", Outcome.UNKNOWN),
        ("Component kubelet", Outcome.UNKNOWN),
        ("Node n2", Outcome.VIOLATED),
        ("Pod web-1", Outcome.VIOLATED),
    ):
        story = serving("web-0").fault("fault", target, 9, 20)
        story.watched(1, "Pod", running("web-1"), "ADDED")
        verdict = check(terminated(story, 10, grace_s=5, container_s=9, object_s=9.5))
        assert verdict.outcome is outcome, target
        if outcome is Outcome.UNKNOWN:
            assert f"while fault on {target} was in effect" in verdict.summary


def test_a_fault_on_a_node_of_the_control_plane_explains_it() -> None:
    server = node("n2")
    server["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": "true"}
    story = serving("web-0").watched(1, "Node", server).fault("fault", "Node n2", 9, 20)
    assert check(terminated(story, 10, unready_s=4)).outcome is Outcome.UNKNOWN
    for second, outcome in ((8, Outcome.UNKNOWN), (30, Outcome.VIOLATED)):
        after = serving("web-0").watched(1, "Node", server).fault("fault", "Node n2", 1, 5)
        verdict = check(terminated(after, second, unready_s=4).ended(60))
        assert verdict.outcome is outcome


def test_a_node_that_is_not_ready_explains_it() -> None:
    for ready_again_s, outcome in ((9.5, Outcome.VIOLATED), (12, Outcome.UNKNOWN)):
        story = serving("web-0")
        story.watched(5, "Node", node("n1", ready="Unknown"))
        story.watched(ready_again_s, "Node", node("n1"))
        verdict = check(terminated(story, 10, grace_s=5, container_s=9, object_s=9.5))
        assert verdict.outcome is outcome
