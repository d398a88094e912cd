"""Confined to one namespace, and what an account may do."""

import os
from pathlib import Path

import pytest
import yaml

from chaoskit.errors import UsageError
from chaoskit.kube.confined import ConfinedKube
from chaoskit.kube.connection import minified
from chaoskit.kube.kinds import known
from chaoskit.kube.refusal import Call
from chaoskit.kube.request import Method, Request
from chaoskit.kube.rights import Right, rights

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "other",
    "contexts": [
        {"name": "shop", "context": {"cluster": "c1", "user": "u1", "namespace": "x"}},
        {"name": "other", "context": {"cluster": "c2", "user": "u2"}},
    ],
    "clusters": [
        {"name": "c1", "cluster": {"server": "https://127.0.0.1:9", "certificate-authority": "ca"}},
        {"name": "c2", "cluster": {"server": "https://127.0.0.1:8"}},
    ],
    "users": [
        {"name": "u1", "user": {"token": "one"}},
        {"name": "u2", "user": {"token": "two"}},
    ],
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(KUBECONFIG))
    return file


@pytest.fixture
def kube(kubeconfig: Path, tmp_path: Path) -> ConfinedKube:
    file = tmp_path / "one"
    file.write_text(minified(kubeconfig, "shop").replace("certificate-authority", "x-authority"))
    return ConfinedKube(file, "shop")


def asked(kube: ConfinedKube, method: Method, path: str) -> None:
    kube._serialized(Request(Call(method.lower(), path), method, path))


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", known("Pod").path("shop")),
        ("PATCH", known("Deployment").path("shop", "web")),
        ("DELETE", known("Service").path("shop", "web-chaoskit")),
        ("POST", known("Pod").path("shop", "web-0", "eviction")),
        ("GET", known("Node").path()),
        ("GET", known("Namespace").path(None, "shop")),
        ("GET", "/version"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ],
)
def test_what_stays_in_the_namespace_passes(kube: ConfinedKube, method: Method, path: str) -> None:
    asked(kube, method, path)


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", known("Pod").path("other")),
        ("GET", known("Pod").path()),
        ("GET", known("Secret").path()),
        ("DELETE", known("Pod").path("shop-2", "web-0")),
        ("DELETE", known("Namespace").path(None, "shop")),
        ("PATCH", known("Namespace").path(None, "shop")),
        ("PATCH", known("Node").path(None, "n1")),
        ("DELETE", known("PersistentVolume").path(None, "v1")),
        ("POST", known("ClusterRole").path()),
    ],
)
def test_what_reaches_beyond_it_is_refused_before_it_is_sent(
    kube: ConfinedKube, method: Method, path: str
) -> None:
    with pytest.raises(UsageError, match="only namespace shop"):
        asked(kube, method, path)


def test_nodes_may_be_changed_with_the_second_switch_alone(kube: ConfinedKube) -> None:
    switched = ConfinedKube(kube.kubeconfig, "shop", may_change_nodes=True)
    asked(switched, "PATCH", known("Node").path(None, "n1"))
    with pytest.raises(UsageError):
        asked(switched, "DELETE", known("Pod").path("other", "web-0"))


def test_one_context_alone_is_copied_and_the_current_one_is_not_taken(kubeconfig: Path) -> None:
    copied = yaml.safe_load(minified(kubeconfig, "shop"))
    assert copied["current-context"] == "shop"
    assert [each["user"]["token"] for each in copied["users"]] == ["one"]
    authority = copied["clusters"][0]["cluster"]["certificate-authority"]
    assert authority == str(kubeconfig.parent / "ca")
    with pytest.raises(UsageError, match="contexts: shop, other"):
        minified(kubeconfig, "prod")


def test_a_broken_kubeconfig_shows_nothing_of_its_content(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("users: [{name: a, user: {token: very-secret}")
    with pytest.raises(UsageError) as caught:
        minified(file, "shop")
    assert "very-secret" not in str(caught.value)


def test_rights_say_what_and_where() -> None:
    assert str(Right("create", "Pod", "shop", "eviction")) == (
        "create pods/eviction in namespace shop"
    )
    assert [str(each) for each in rights("list", ["Node", "Deployment"], "shop")] == [
        "list nodes (cluster-wide)",
        "list deployments in namespace shop",
    ]
    assert Right("get", "Deployment", "shop").group == "apps"
    assert Right("get", "Pod", "shop").group == ""


def test_the_copy_is_for_its_owner_alone(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chaoskit.cluster.existing import PREFIX, ExistingCluster

    text = kubeconfig.read_text().replace("certificate-authority: ca", "x: y")
    kubeconfig.write_text(text)
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path / "state"))
    cluster = ExistingCluster(kubeconfig, "shop", "shop")
    assert os.stat(cluster.kubeconfig).st_mode & 0o777 == 0o600
    assert cluster.name.startswith(PREFIX)
    again = ExistingCluster.named(cluster.name)
    assert (again.context, again.namespace, again.name) == ("shop", "shop", cluster.name)
    for each in (cluster, again):
        each.close()
        assert not each.kubeconfig.exists()
