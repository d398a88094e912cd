"""Undo as kubectl has it, on given ReplicaSets and ControllerRevisions."""

import pytest

from chaoskit.kube.kinds import Object
from chaoskit.workloads import revisions, template
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import StepRefused

WEB = ObjectRef("Deployment", "shop", "web")
KV = ObjectRef("StatefulSet", "shop", "kv")


def pod_template(image: str, **labels: str) -> Object:
    return {
        "metadata": {"labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }


def replica_set(revision: str, image: str, owner: str = "d1", **annotations: str) -> Object:
    return {
        "metadata": {
            "name": f"web-{image}",
            "annotations": {revisions.REVISION: revision, **annotations},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {"template": pod_template(image, **{template.HASH_LABEL: f"hash-{image}"})},
    }


def numbers(replica_sets: list[Object]) -> list[int]:
    return [revision.number for revision in revisions.of_replica_sets(replica_sets)]


def test_history_is_in_order_of_numbers_not_of_listing_or_text() -> None:
    sets = [replica_set("10", "j"), replica_set("9", "i"), replica_set("2", "b")]
    assert numbers(sets) == [2, 9, 10]


def test_a_replica_set_that_is_not_numbered_yet_is_no_revision() -> None:
    fresh = replica_set("1", "a")
    fresh["metadata"]["annotations"] = {}
    assert numbers([fresh, replica_set("3", "c")]) == [3]
    del fresh["metadata"]["annotations"]
    assert numbers([fresh]) == []


def test_only_what_it_controls_belongs_to_it() -> None:
    mine, other = replica_set("1", "a"), replica_set("2", "b", owner="d2")
    orphan = replica_set("3", "c")
    del orphan["metadata"]["ownerReferences"]
    mere_owner = replica_set("4", "d")
    mere_owner["metadata"]["ownerReferences"][0]["controller"] = False
    assert revisions.owned_by("d1", [mine, other, orphan, mere_owner]) == [mine]


def test_undo_goes_to_the_second_newest() -> None:
    history = revisions.of_replica_sets([replica_set(str(n), f"v{n}") for n in (4, 1, 3)])
    assert revisions.chosen(WEB, history, None).number == 3


def test_undo_goes_to_the_named_revision() -> None:
    history = revisions.of_replica_sets([replica_set(str(n), f"v{n}") for n in (1, 3, 4)])
    found = revisions.chosen(WEB, history, 1)
    assert found.template == pod_template("v1")  # without the hash label
    assert found.holder == "web-v1"


def test_undo_to_a_revision_that_is_gone_is_refused_in_kubectls_words() -> None:
    history = revisions.of_replica_sets([replica_set("3", "c"), replica_set("4", "d")])
    with pytest.raises(StepRefused, match="unable to find specified revision 2 in history") as it:
        revisions.chosen(WEB, history, 2)
    assert "[3, 4]" in str(it.value)


def test_undo_without_an_older_revision_is_refused() -> None:
    only = revisions.of_replica_sets([replica_set("1", "a")])
    with pytest.raises(StepRefused, match='no rollout history found for deployment "web"'):
        revisions.chosen(WEB, only, None)
    with pytest.raises(StepRefused, match="no last revision to roll back to"):
        revisions.chosen(KV, only, None)


def test_the_patch_restores_the_template_and_the_revisions_annotations() -> None:
    deployment: Object = {
        "metadata": {
            "annotations": {
                revisions.REVISION: "4",
                "kubectl.kubernetes.io/last-applied-configuration": "{…}",
                template.CHANGE_CAUSE: "to v4",
                "only-now": "x",
            }
        }
    }
    cause = {template.CHANGE_CAUSE: "to v1", "deployment.kubernetes.io/desired-replicas": "3"}
    [target] = revisions.of_replica_sets([replica_set("1", "v1", **cause)])
    restore, annotate = revisions.deployment_patch(deployment, target)
    assert restore == {"op": "replace", "path": "/spec/template", "value": pod_template("v1")}
    assert annotate["value"] == {
        revisions.REVISION: "4",  # numbers are the controller's, and move forward
        "kubectl.kubernetes.io/last-applied-configuration": "{…}",
        template.CHANGE_CAUSE: "to v1",
    }


def test_a_skipped_rollback_says_so_like_kubectl() -> None:
    assert revisions.skipped(3).text == (
        "skipped rollback (current template already matches revision 3)"
    )
    assert not revisions.skipped(None).rolled_back


def test_controller_revisions_hold_templates_too() -> None:
    items: list[Object] = [
        {
            "metadata": {"name": f"kv-{number}"},
            "revision": number,
            "data": {"spec": {"template": {**pod_template(f"v{number}"), "$patch": "replace"}}},
        }
        for number in (2, 1)
    ]
    history = revisions.of_controller_revisions(items)
    assert [revision.number for revision in history] == [1, 2]
    target = revisions.chosen(KV, history, None)
    assert template.equal(target.template, pod_template("v1"))
    assert not template.equal(target.template, pod_template("v2"))
