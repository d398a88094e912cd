"""Kubernetes objects as all guarantees read them."""

from types import SimpleNamespace
from typing import Any

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.objects.watched import (
    changes,
    condition,
    container_statuses,
    in_namespace,
    is_finished,
    is_leaving,
    is_ready,
    kind_of,
    latest,
    name_of,
    owned_by,
    owner,
    require_watched,
    steps,
    template_of,
    watched_from,
)
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.folder import RunInfo
from chaoskit.history.reader import History
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_EVENTS, LOST_REQUESTS


def history_of(story: Story, *damage: Any) -> History:
    return History.of_parts(events=story.events, damage=damage)


def test_a_template_is_all_but_the_hash_of_its_controller() -> None:
    obj = replica_set("rs-1")
    obj["spec"]["template"]["metadata"]["annotations"] = {"restarted": "yes"}
    obj["spec"]["template"]["metadata"]["creationTimestamp"] = None
    assert template_of(obj) == {
        "metadata": {"labels": {"app": "web"}, "annotations": {"restarted": "yes"}},
        "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
    }
    assert template_of(obj) == template_of(
        {
            "spec": {
                "template": {
                    **deployment()["spec"]["template"],
                    "metadata": {"labels": {"app": "web"}, "annotations": {"restarted": "yes"}},
                }
            }
        }
    )
    assert template_of({"spec": {"template": {}}}) == {"metadata": {"labels": {}}}
    assert "pod-template-hash" in obj["spec"]["template"]["metadata"]["labels"]


def test_an_owner_is_the_controller_of_that_kind() -> None:
    obj = pod("web-1")
    references: list[Object] = obj["metadata"]["ownerReferences"]
    assert owner(obj, "ReplicaSet") == references[0]
    assert owner(obj, "StatefulSet") is None
    references[0]["controller"] = False
    assert owner(obj, "ReplicaSet") is None
    del references[0]["controller"]
    assert owner(obj, "ReplicaSet") is None
    assert owner({"metadata": {}}, "ReplicaSet") is None
    assert owner({"metadata": {"ownerReferences": None}}, "ReplicaSet") is None


def test_what_a_status_says() -> None:
    bare: Object = {"metadata": {}}
    ready = pod("web-1", ready_since=1)
    assert condition(ready, "Ready")["status"] == "True"
    assert condition(ready, "Initialized") == condition(bare, "Ready") == {}
    assert [is_ready(ready), is_ready(pod("web-1")), is_ready(bare)] == [True, False, False]
    assert [is_leaving(pod("web-1", leaving=True)), is_leaving(bare)] == [True, False]
    ended = [{"status": {"phase": phase}} for phase in ("Succeeded", "Failed", "Running")]
    assert [is_finished(each) for each in (*ended, bare)] == [True, True, False, False]
    assert [each["name"] for each in container_statuses(ready)] == ["app"]
    assert container_statuses(bare) == container_statuses({"status": None}) == []


def test_kinds_come_from_references_that_name_one() -> None:
    ref = SimpleNamespace(kind="StatefulSet", name="kv")
    assert kind_of(SimpleNamespace(ref=ref), "Deployment") == "StatefulSet"
    nameless = SimpleNamespace(ref=SimpleNamespace(name="kv"))
    assert kind_of(nameless, "Deployment") == kind_of("kv", "Deployment") == "Deployment"
    assert name_of("a/b c/web") == "web"


def test_changes_are_told_once_in_order_of_their_version() -> None:
    story = Story().watched(1, "Pod", pod("web-1"), "ADDED").watched(2, "Pod", pod("web-2"))
    story.watched(3, "Node", {"metadata": {"uid": "n", "name": "n1"}})
    first, second, _ = (event for event in story.events if isinstance(event, Watched))
    story.events += [first]
    story.events.reverse()
    assert changes(history_of(story), "Pod") == [first, second]
    assert [event.name for event in changes(history_of(story), "Node", "Pod")] == [
        "web-1",
        "web-2",
        "n1",
    ]
    story.watched(4, "Pod", pod("web-3"))
    story.events[-1].object.clear()  # type: ignore[union-attr]
    with pytest.raises(RecordError) as caught:
        changes(history_of(story), "Pod")
    assert str(caught.value) == "watched Pod web-3: has no metadata"


def test_only_objects_of_the_runs_own_namespace_are_its_own() -> None:
    story = Story().watched(1, "Deployment", deployment())
    foreign = deployment()
    foreign["metadata"] |= {"uid": "uid-foreign", "namespace": "other"}
    story.watched(2, "Deployment", foreign)
    info = RunInfo(
        run_id="r",
        scenario="s",
        title="t",
        started_wall_ns=1,
        started_ns=1,
        boot_id="b",
        chaoskit_version="0",
        namespace="chaos",
    )
    of_run = History.of_parts(events=story.events, info=info)
    assert [event.uid for event in in_namespace(changes(of_run, "Deployment"), of_run)] == [
        "uid-web"
    ]
    assert [event.uid for event in owned_by(of_run, "Deployment", "web").workload] == ["uid-web"]
    nameless = history_of(story)
    assert len(in_namespace(changes(nameless, "Deployment"), nameless)) == 2


def test_a_deletion_is_told_beside_the_last_change_of_the_same_version() -> None:
    story = Story().watched(1, "Pod", pod("web-1"), "ADDED")
    story.version -= 1
    story.watched(2, "Pod", pod("web-1"), "DELETED")
    told = changes(history_of(story), "Pod")
    assert [event.change for event in told] == ["ADDED", "DELETED"]
    assert latest(told) == {}
    assert latest(told, at(1)) == {"uid-web-1": told[0]}
    assert latest(told, at(0)) == {}


def test_gaps_and_losses_harm_what_they_may_concern() -> None:
    story = Story().watching("Pod").watched(1, "Pod", pod("web-1")).watched(1, "Pod", pod("other"))

    def doubts(told: Story, *damage: Any, **limits: int) -> tuple[list[str], int | None]:
        found = Findings(title="x")
        require_watched(found, history_of(told, *damage), ["uid-web-1"], ["Pod"], **limits)
        return found.doubts, found.blind_from_ns

    gap = "the watch of Pods has a gap (410 Gone)"
    lost = "events may be missing: x.ckl: torn"
    assert doubts(story) == ([], None)
    assert doubts(Story()) == (["Pods were not watched"], None)
    for uid, told in (("uid-web-1", ([gap], at(4))), ("never-seen", ([gap], at(4)))):
        assert (
            doubts(Story().watching("Pod").watched(1, "Pod", pod("web-1")).gap("Pod", 5, uid))
            == told
        )
    assert doubts(story.gap("Node", 5, "n1").gap("Pod", 5, "uid-other")) == ([], None)
    assert doubts(story, LOST_EVENTS) == ([lost], at(8))
    assert doubts(story, LOST_EVENTS, start_ns=at(9.5)) == ([], None)
    assert doubts(story, LOST_EVENTS, end_ns=at(7)) == ([], None)
    assert doubts(story, LOST_REQUESTS) == ([], None)


def test_kinds_are_watched_from_the_last_of_their_first_lists_on() -> None:
    story = Story().watching("Pod").watching("Node").watching("Pod")
    versions = [event.resource_version for event in story.events]  # type: ignore[union-attr]
    told = history_of(story)
    assert watched_from(told, "Pod", "Node") == versions[1]
    assert watched_from(told, "Pod") == versions[0]
    assert watched_from(told, "Job") == watched_from(told) == 0


def test_a_workload_owns_pods_directly_and_through_its_replica_sets() -> None:
    story = (
        Story()
        .watched(1, "Deployment", deployment())
        .watched(1, "Deployment", deployment(name="x"))
    )
    story.watched(2, "ReplicaSet", replica_set("rs-1"))
    foreign = replica_set("rs-2")
    foreign["metadata"]["ownerReferences"][0]["uid"] = "uid-x"
    story.watched(2, "ReplicaSet", foreign)
    story.watched(3, "Pod", pod("through")).watched(
        3, "Pod", pod("direct", of=("Deployment", "web"))
    )
    story.watched(3, "Pod", pod("not", of=("ReplicaSet", "rs-2"))).watched(
        3, "Pod", pod("nor", of=("Job", "j"))
    )
    owned = owned_by(history_of(story), "Deployment", "web")
    assert [event.name for event in owned.pods] == ["through", "direct"]
    assert list(owned.replica_sets) == ["uid-rs-1"]
    assert owned.uids == {"uid-web", "uid-rs-1", "uid-through", "uid-direct"}
    assert [owned.replica_set_of(each) for each in owned.pods] == ["uid-rs-1", None]


def test_steps_are_those_of_a_name_on_an_object() -> None:
    story = Story().step("undo", "Deployment web", 1, took_s=0.5, force=True)
    story.step("undo", "Deployment web", 3, end="failed").step(
        "undo", "Deployment web", 5, end=None
    )
    story.step("scale", "Deployment web", 6).step("undo", "Deployment other", 7)
    told = steps(history_of(story), "undo", "web")
    assert [(each.started_ns, each.done_ns, each.failed, each.force) for each in told] == [
        (at(1), at(1.5), False, True),
        (at(3), None, True, False),
        (at(5), None, False, False),
    ]
    assert [(each.step_id, each.name, each.target) for each in told[:1]] == [
        ("undo-1", "undo", "Deployment web")
    ]
    story.events.append(
        StepMark(time_ns=at(9), step_id="s", name="undo", target="Deployment web", mark="done")
    )
    with pytest.raises(RecordError) as caught:
        steps(history_of(story), "undo", "web")
    assert str(caught.value) == "step s (undo): ended but never started"
    assert len(steps(history_of(story, LOST_EVENTS), "undo", "web")) == 3
