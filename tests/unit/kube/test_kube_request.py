"""Requests as they go out: paths, options and the zero that must not get lost."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.kube import kinds, request
from chaoskit.kube.answers import Answered
from chaoskit.kube.kinds import Kind
from chaoskit.kube.request import Request


def deletion(grace_period_s: int | None) -> Request:
    return request.delete(
        "Pod", "kv-1", "shop", grace_period_s=grace_period_s, propagation=None, uid="u1"
    )


def test_a_grace_period_of_zero_is_sent_as_zero() -> None:
    body = deletion(0).body
    assert isinstance(body, dict)
    assert body["gracePeriodSeconds"] == 0
    assert body["preconditions"] == {"uid": "u1"}


def test_no_grace_period_is_left_to_the_object() -> None:
    body = deletion(None).body
    assert isinstance(body, dict)
    assert "gracePeriodSeconds" not in body
    assert "propagationPolicy" not in body


@pytest.mark.parametrize(
    "kind, namespace, name, subresource, path",
    [
        ("Pod", "shop", "kv-1", "log", "/api/v1/namespaces/shop/pods/kv-1/log"),
        ("Pod", None, None, None, "/api/v1/pods"),
        ("Node", None, "n1", None, "/api/v1/nodes/n1"),
        ("ReplicaSet", "s", "w", "scale", "/apis/apps/v1/namespaces/s/replicasets/w/scale"),
        ("ClusterRole", None, "system:node", None,
         "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"),
    ],
)  # fmt: skip
def test_paths(
    kind: str, namespace: str | None, name: str | None, subresource: str | None, path: str
) -> None:
    assert kinds.known(kind).path(namespace, name, subresource) == path


def test_a_name_cannot_leave_its_path() -> None:
    path = kinds.known("Pod").path("shop", "../../secrets/s")
    assert path == "/api/v1/namespaces/shop/pods/..%2F..%2Fsecrets%2Fs"


def test_one_object_of_a_namespaced_kind_needs_its_namespace() -> None:
    with pytest.raises(UsageError, match="namespace is needed"):
        kinds.known("Pod").path(None, "kv-1")


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UsageError, match="Widget"):
        kinds.known("Widget")


def test_a_manifest_without_namespace_is_not_written_anywhere() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    with pytest.raises(UsageError, match=r"metadata\.namespace"):
        request.address(manifest, kinds.known("ConfigMap"))


def test_a_kind_of_another_group_is_not_taken_for_the_known_one() -> None:
    assert kinds.served_as({"apiVersion": "serving.example.com/v1", "kind": "Service"}) is None
    known = kinds.served_as({"apiVersion": "v1", "kind": "Service"})
    assert known is kinds.known("Service")


def test_discovery_finds_the_collection_not_its_subresource() -> None:
    manifest = {"apiVersion": "example.com/v1", "kind": "Widget"}
    resources = [
        {"kind": "Widget", "name": "widgets/status", "namespaced": True},
        {"kind": "Widget", "name": "widgets", "namespaced": False},
    ]
    found = kinds.from_discovery(manifest, resources)
    assert found == Kind("Widget", "example.com/v1", "widgets", namespaced=False)


def test_apply_is_strict_and_says_who_manages() -> None:
    manifest = {"metadata": {"name": "c", "namespace": "shop"}}
    at = request.address(manifest, kinds.known("ConfigMap"))
    asked = request.apply(at, manifest, dry_run=True, force=True)
    assert asked.content_type == "application/apply-patch+yaml"
    assert dict(asked.query) == {
        "fieldManager": "chaoskit",
        "fieldValidation": "Strict",
        "dryRun": "All",
        "force": "true",
    }


def test_selectors_are_written_in_a_fixed_order() -> None:
    assert request.selector_text({"b": "2", "a": "1"}) == "a=1,b=2"
    assert request.selector_text("tier in (front)") == "tier in (front)"


def test_a_proxied_request_keeps_its_path_with_slash_and_without() -> None:
    way = "/api/v1/namespaces/shop/pods/kv-0:8080/proxy"
    for path, query in (("", ()), ("/", ()), ("/dns/a.b?record=SRV", (("record", "SRV"),))):
        asked = request.proxied("GET", "kv-0", "shop", 8080, path, None)
        assert asked.path + ("?record=SRV" if query else "") == way + path
        assert asked.query == query
        assert asked.body is None


def test_an_answer_has_its_headers_in_lower_case() -> None:
    answered = Answered.of(301, {"Location": "/there/"}, b"moved \xff")
    assert answered.headers == {"location": "/there/"}
    assert answered.body == "moved \ufffd"
