"""Comparing and changing pod templates."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.kube.kinds import Object
from chaoskit.workloads import template
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import StepRefused

WEB = ObjectRef("Deployment", "shop", "web")


def two_containers() -> Object:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "initContainers": [{"name": "setup", "image": "a:1"}],
            "containers": [{"name": "web", "image": "a:1"}, {"name": "log", "image": "b:1"}],
        },
    }


def test_the_hash_label_nulls_and_empty_metadata_do_not_count() -> None:
    one = {"metadata": {"creationTimestamp": None, "labels": {"a": "b"}}, "spec": {"x": None}}
    other = {
        "metadata": {"labels": {"a": "b", template.HASH_LABEL: "h"}, "annotations": {}},
        "spec": {},
    }
    assert template.equal(one, other)


def test_anything_else_counts() -> None:
    one, other = two_containers(), two_containers()
    other["spec"]["containers"][1]["image"] = "b:2"
    assert not template.equal(one, other)


def test_comparing_and_stripping_leave_the_template_as_it_was() -> None:
    labelled = {"metadata": {"labels": {template.HASH_LABEL: "h"}}, "spec": {}}
    template.equal(labelled, labelled)
    template.without_hash(labelled)
    assert labelled["metadata"]["labels"] == {template.HASH_LABEL: "h"}


def test_set_image_changes_the_named_container_only() -> None:
    change = template.image_change(WEB, two_containers(), "b:2", "log")
    assert change == {
        "spec": {"template": {"spec": {"containers": [{"name": "log", "image": "b:2"}]}}}
    }


def test_set_image_finds_init_containers_and_all() -> None:
    change = template.image_change(WEB, two_containers(), "a:1", "*")
    spec = change["spec"]["template"]["spec"]
    assert spec == {"containers": [{"name": "log", "image": "a:1"}]}  # the others have it already
    setup = template.image_change(WEB, two_containers(), "c:1", "setup")
    assert list(setup["spec"]["template"]["spec"]) == ["initContainers"]


def test_set_image_to_the_present_image_is_no_change() -> None:
    assert template.image_change(WEB, two_containers(), "a:1", "web") == {}


def test_set_image_refuses_an_unknown_and_asks_for_an_ambiguous_container() -> None:
    with pytest.raises(StepRefused, match='unable to find container named "db"'):
        template.image_change(WEB, two_containers(), "a:1", "db")
    with pytest.raises(UsageError, match="several containers") as caught:
        template.image_change(WEB, two_containers(), "a:1", None)
    assert "web, log" in str(caught.value)


def test_a_second_restart_in_the_same_second_is_refused() -> None:
    moment = "2026-01-01T00:00:00Z"
    first = template.restart_change(WEB, two_containers(), moment)
    restarted = first["spec"]["template"]
    with pytest.raises(StepRefused, match="within the past second"):
        template.restart_change(WEB, restarted, moment)
    assert template.restart_change(WEB, restarted, "2026-01-01T00:00:01Z")


def test_variables_go_behind_those_of_each_container_and_to_no_init_container() -> None:
    before = two_containers()
    before["spec"]["containers"][1]["env"] = [{"name": "B", "value": "0"}, {"name": "C"}]
    changed = template.env_change(before, {"A": "1", "B": "2"})
    containers = changed["spec"]["template"]["spec"]["containers"]
    assert changed["spec"]["template"]["spec"].keys() == {"containers"}
    assert [item["name"] for item in containers] == ["web", "log"]
    for item, order in zip(containers, ("AB", "BCA"), strict=True):
        assert item["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
        assert item["$setElementOrder/env"] == [{"name": name} for name in order]
