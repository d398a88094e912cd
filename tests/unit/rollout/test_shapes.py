"""Manifests with a wrong type in one field: refused in words, whichever field and type it is."""

import copy
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chaoskit.errors import UsageError
from chaoskit.rollout import sources
from chaoskit.rollout.lint import Finding, lint
from tests.unit.rollout.manifests import (
    Object,
    budget,
    changed,
    service,
    sound_deployment,
    sound_stateful_set,
)

VALUES: tuple[Any, ...] = (None, "text", "", 7, -1, 1.5, True, [], {}, ["x"], {"x": 1}, [None])


def found_in(*objects: Object) -> list[Finding]:
    text = "\n---\n".join(json.dumps(each) for each in objects)
    read = sources.read(["-"], "shop", lambda: text, strict=False)
    return lint([each.content for each in read.manifests])


def everything() -> list[Object]:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "local-path"},
    }
    deployment = changed(
        sound_deployment(),
        "spec.template.spec.volumes",
        [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    expressions = [{"key": "app", "operator": "In", "values": ["web"]}]
    one = changed(budget(), "spec.selector", {"matchExpressions": expressions})
    return [deployment, sound_stateful_set(), service(), one, scaler, claim]


def places(value: object) -> Iterator[list[Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, item in inner:
        yield [key]
        if isinstance(item, dict | list):
            yield from ([key, *rest] for rest in places(item))


def test_no_type_in_no_field_ends_in_anything_but_findings_or_words() -> None:
    objects = everything()
    for number, whole in enumerate(objects):
        for *way, last in places(whole):
            for value in VALUES:
                broken: Any = copy.deepcopy(whole)
                inner = broken
                for key in way:
                    inner = inner[key]
                inner[last] = value
                try:
                    read = sources.read(["-"], "shop", partial(json.dumps, broken), strict=False)
                except UsageError:
                    continue
                beside = [*objects[:number], *objects[number + 1 :]]
                lint([*beside, *(each.content for each in read.manifests)])


@pytest.mark.parametrize(
    "field, value",
    [
        ("spec.replicas", "3"),
        ("spec.replicas", True),
        ("spec.replicas", -1),
        ("spec.template.spec", "text"),
        ("spec.strategy.rollingUpdate.maxSurge", "1"),
    ],
)
def test_object_field_and_value_are_named(field: str, value: object) -> None:
    with pytest.raises(UsageError) as caught:
        found_in(changed(sound_deployment(), field, value))
    message = str(caught.value)
    assert "Deployment shop/web" in message
    assert field in message
    assert str(value) in message


def test_what_has_no_name_where_one_is_needed_is_refused() -> None:
    nameless = [{"hostPath": {"path": "/d"}}]
    with pytest.raises(UsageError, match=r"spec\.template\.spec\.volumes\[0\]\.name"):
        found_in(changed(sound_deployment(), "spec.template.spec.volumes", nameless))


@pytest.mark.parametrize(
    "field",
    ["spec.replicas", "spec.progressDeadlineSeconds", "spec.revisionHistoryLimit",
     "spec.strategy.rollingUpdate.maxSurge", "spec.template.spec.terminationGracePeriodSeconds"],
)  # fmt: skip
def test_a_field_that_is_null_is_as_left_out(field: str) -> None:
    """As templates write what nobody set."""
    written = changed(sound_deployment(), field, None)
    inner: Any = written["spec"]
    *path, last = field.split(".")[1:]
    for key in path:
        inner = inner[key]
    inner[last] = None
    assert found_in(written, service(), budget()) == found_in(
        changed(sound_deployment(), field, None), service(), budget()
    )


def test_another_group_s_kind_of_the_same_name_is_nobody_s_workload() -> None:
    other = {"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    assert found_in({**other, "spec": {"replicas": "many", "template": "large"}}) == []


def test_a_folder_s_broken_manifest_is_named_with_its_file(tmp_path: Path) -> None:
    broken = changed(sound_deployment(), "metadata.annotations", 7)
    (tmp_path / "web.json").write_text(json.dumps(broken))
    with pytest.raises(UsageError, match=r"web\.json.*metadata\.annotations"):
        sources.read([str(tmp_path)], "shop", lambda: "")
