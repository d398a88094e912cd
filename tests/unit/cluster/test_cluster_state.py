"""What this machine remembers of a cluster."""

import stat
from pathlib import Path

import pytest
import yaml

from chaoskit.cluster.launch.state import ClusterState, rewritten
from chaoskit.errors import ClusterError

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: default
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: QQ==}
users:
- name: default
  user: {client-certificate-data: QQ==, client-key-data: QQ==}
contexts:
- name: default
  context: {cluster: default, user: default}
current-context: default
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterState:
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path / "state"))
    return ClusterState(cluster="c")


def test_only_the_server_is_rewritten() -> None:
    before, after = yaml.safe_load(KUBECONFIG), yaml.safe_load(rewritten(KUBECONFIG, port=40123))
    before["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:40123"
    assert after == before


@pytest.mark.parametrize("text", ["", "[]", "clusters: []\nusers: []\n", "{: :", "clusters: 3"])
def test_what_is_no_kubeconfig_is_an_error(text: str) -> None:
    with pytest.raises(ClusterError, match="kubeconfig"):
        rewritten(text, port=1)


def test_kubeconfig_is_private_from_the_start_and_replaceable(state: ClusterState) -> None:
    for port in (1, 2):
        path = state.write_kubeconfig(KUBECONFIG, port=port)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert f"127.0.0.1:{port}" in path.read_text()
    assert [one.name for one in path.parent.iterdir()] == ["kubeconfig"]


def test_forgetting_leaves_nothing_and_may_be_repeated(state: ClusterState) -> None:
    state.write_kubeconfig(KUBECONFIG, port=1)
    state.forget()
    state.forget()
    assert not state.folder.exists()
