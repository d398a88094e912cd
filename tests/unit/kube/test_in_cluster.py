"""A pod's own account: its kubeconfig names files, and the token in its file is followed."""

from pathlib import Path

import pytest
import yaml

from chaoskit.errors import UsageError
from chaoskit.kube import in_cluster
from chaoskit.kube.client import Kube
from chaoskit.kube.connection import minified
from chaoskit.kube.refusal import Call
from chaoskit.kube.request import Request

SECRET = "first-7b1e"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As Kubernetes mounts one."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.43.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "token").write_text(f"{SECRET}\n")
    (folder / "ca.crt").write_text("not looked at before a connection is made")
    return folder


def sent(kube: Kube) -> str:
    """The Authorization header of the next request."""
    headers = kube._serialized(Request(Call("get", "/version"), "GET", "/version"))[2]
    return str(headers["authorization"])


def test_it_names_the_server_and_files_and_no_secret(account: Path) -> None:
    text = in_cluster.kubeconfig(account)
    assert SECRET not in text
    made = yaml.safe_load(text)
    (cluster,) = made["clusters"]
    assert cluster["cluster"] == {
        "server": "https://10.43.0.1:443",
        "certificate-authority": str(account / "ca.crt"),
    }
    assert made["users"][0]["user"] == {"tokenFile": str(account / "token")}


def test_an_ipv6_address_is_bracketed(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    (cluster,) = yaml.safe_load(in_cluster.kubeconfig(account))["clusters"]
    assert cluster["cluster"]["server"] == "https://[fd00::1]:443"


def test_an_exchanged_token_is_used_from_the_next_request_on(account: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_text(in_cluster.kubeconfig(account))
    file = tmp_path / "kubeconfig"
    file.write_text(minified(whole, in_cluster.CONTEXT))  # as our other processes get it
    assert SECRET not in file.read_text()
    kube = Kube(file)
    assert sent(kube) == f"Bearer {SECRET}"
    (account / "token").write_text("second")
    assert sent(kube) == "Bearer second"
    (account / "token").unlink()  # between two of Kubernetes' renames
    assert sent(kube) == "Bearer second"
    kube.close()


def test_a_token_that_stands_in_the_kubeconfig_stays(account: Path, tmp_path: Path) -> None:
    made = yaml.safe_load(in_cluster.kubeconfig(account))
    made["users"][0]["user"] = {"token": "inline"}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(made))
    kube = Kube(file)
    assert sent(kube) == "Bearer inline"
    kube.close()


@pytest.mark.parametrize("missing", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
def test_what_is_no_pod_is_said(
    account: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(UsageError, match=missing):
        in_cluster.kubeconfig(account)


def test_an_account_that_is_not_mounted_is_said(account: Path) -> None:
    (account / "token").unlink()
    with pytest.raises(UsageError, match=r"not there: .*token"):
        in_cluster.kubeconfig(account)
