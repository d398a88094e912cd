"""Users' manifests: what is wrong is named with file, document, object and field."""

from pathlib import Path

import pytest

from chaoskit.errors import UsageError
from chaoskit.workloads import manifest

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "app.yaml"
    path.write_text(text)
    return path


def test_all_documents_and_lists_are_read(tmp_path: Path) -> None:
    service = "{apiVersion: v1, kind: Service, metadata: {name: web}}"
    both = f"{DEPLOYMENT}---\n# nothing here\n---\napiVersion: v1\nkind: List\nitems: [{service}]\n"
    found = manifest.load(written(tmp_path, both))
    assert [str(each.ref) for each in found] == ["Deployment web", "Service web"]
    assert [each.document for each in found] == [1, 3]


def test_a_namespace_is_set_without_touching_the_original(tmp_path: Path) -> None:
    [found] = manifest.load(written(tmp_path, DEPLOYMENT))
    moved = found.in_namespace("shop")
    assert str(moved.ref) == "Deployment shop/web"
    assert found.ref.namespace is None


@pytest.mark.parametrize(
    "text, named",
    [
        ("a: [1", ["is no YAML", "line 1"]),
        ("a: 1\na: 2", ["the field 'a' stands twice", "line 2"]),
        ("", ["holds no objects"]),
        ("just text", ["document 1", "str"]),
        ("{{ if .Values.web }}\na: 1", ["is no YAML", "line 1"]),
        ("? [a, b]\n: 1", ["is no YAML", "line 1"]),
        (f"a: {'[' * 3000}{']' * 3000}", ["is no YAML", "too deep"]),
        ("a: !!int many", ["is no YAML", "type"]),
        ("apiVersion: v1\nkind: List\nitems: 7", ["document 1", "items"]),
        (DEPLOYMENT.replace("{matchLabels: {app: web}}", "web"), ["Deployment web", "selector"]),
        ("kind: Pod\nmetadata: {name: p}", ["document 1", "apiVersion"]),
        ("apiVersion: v1\nmetadata: {name: p}", ["document 1", "kind"]),
        (f"{DEPLOYMENT}---\napiVersion: v1\nkind: Pod", ["document 2", "Pod", "metadata.name"]),
        (DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"), ["Deployment web", "apps/v1"]),
        (DEPLOYMENT.replace("selector", "selectors"), ["Deployment web", "spec.selector"]),
        (DEPLOYMENT.replace("labels: {app: web}", "labels: {app: w}"), ["app", "'web'", "'w'"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        manifest.load(written(tmp_path, text))
    message = str(caught.value)
    assert "app.yaml" in message
    for part in named:
        assert part in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.yaml"):
        manifest.load(tmp_path / "absent.yaml")


def test_yaml_that_would_run_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no YAML"):
        manifest.load(written(tmp_path, "a: !!python/object/apply:os.getpid []"))


def test_values_are_read_as_kubectl_reads_them(tmp_path: Path) -> None:
    """To kubectl a date and 12:30 are texts, and 1e3 is a number."""
    values = "{since: 2026-01-31, at: 12:30, many: 1e3, mode: 0644, on: yes, plain: 42}"
    text = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {values}}}"
    (one,) = manifest.load(written(tmp_path, text))
    data = {"since": "2026-01-31", "at": "12:30", "many": 1000.0, "mode": 420, True: True}
    assert one.content["data"] == {**data, "plain": 42}


def test_an_anchor_is_taken_over_and_added_to(tmp_path: Path) -> None:
    """Also by a mapping that stands less deep, and so is made before the one it takes over."""
    merged = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
base: &base {x: 1, y: 1}
within: {more: &more {<<: *base, x: 2}}
data: {<<: *more, z: 3}
"""
    (one,) = manifest.load(written(tmp_path, merged))
    assert one.content["within"]["more"] == {"x": 2, "y": 1}
    assert one.content["data"] == {"x": 2, "y": 1, "z": 3}
    twice = merged.replace("x: 2}", "x: 2, x: 3}")
    with pytest.raises(UsageError, match="'x' stands twice"):
        manifest.load(written(tmp_path, twice))


def test_another_group_s_kind_of_the_same_name_needs_no_selector(tmp_path: Path) -> None:
    text = "{apiVersion: example.com/v1, kind: Deployment, metadata: {name: a}, spec: {size: 3}}"
    (one,) = manifest.load(written(tmp_path, text))
    assert one.content["spec"] == {"size": 3}


def test_a_line_that_is_no_yaml_is_not_shown_for_it_may_be_a_secret(tmp_path: Path) -> None:
    text = "kind: Secret\ndata:\n  password: aHVudGVy: MgI\n"
    with pytest.raises(UsageError) as caught:
        manifest.load(written(tmp_path, text))
    assert "line 3" in str(caught.value)
    assert "aHVudGVy" not in str(caught.value)
