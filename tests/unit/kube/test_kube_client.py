"""The client against what is no API server: dead, deaf and unusable ends."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chaoskit.errors import ClusterError, UsageError
from chaoskit.kube import refusal
from chaoskit.kube.client import Kube
from chaoskit.kube.request import Timeouts


def kubeconfig(folder: Path, server: str) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where connections are accepted (by the kernel) and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_dead_cluster_is_reported_within_seconds(tmp_path: Path) -> None:
    server = f"https://127.0.0.1:{closed_port()}"
    kube = Kube(kubeconfig(tmp_path, server))
    started = time.monotonic()
    with pytest.raises(ClusterError, match="does not serve this kubeconfig") as caught:
        kube.require_reachable()
    assert time.monotonic() - started < 5
    assert server in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(refusal.Unreachable):
        kube.get("Node", "n1")


def test_a_deaf_server_is_transient_after_the_read_timeout(tmp_path: Path, deaf_port: int) -> None:
    config = kubeconfig(tmp_path, f"http://127.0.0.1:{deaf_port}")
    kube = Kube(config, timeouts=Timeouts(read_s=0.2))
    with pytest.raises(refusal.Transient, match="lost or silent"):
        kube.get("Pod", "kv-1", "shop")


def test_a_connection_cut_in_the_middle_of_an_answer_is_transient(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        thread = threading.Thread(target=answer_half)
        thread.start()
        kube = Kube(kubeconfig(tmp_path, f"http://127.0.0.1:{server.getsockname()[1]}"))
        with pytest.raises(refusal.Transient) as caught:
            kube.patch("Pod", "kv-1", "shop", {"spec": {}})
        thread.join()
    assert "a write may have happened" in str(caught.value)


def test_a_server_without_the_right_certificate_is_not_transient(
    tmp_path: Path, deaf_port: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak_no_tls() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=speak_no_tls)
        thread.start()
        kube = Kube(kubeconfig(tmp_path, f"https://127.0.0.1:{server.getsockname()[1]}"))
        with pytest.raises(refusal.Refused, match="no TLS") as caught:
            kube.version()
        thread.join()
    assert not caught.value.transient


@pytest.mark.parametrize("reads", [True, False], ids=["closes", "resets"])
def test_a_connection_cut_in_the_handshake_is_transient(tmp_path: Path, reads: bool) -> None:
    """A published port's proxy accepts, then lets go when nobody listens behind it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def let_go() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536 if reads else 1)

        thread = threading.Thread(target=let_go)
        thread.start()
        kube = Kube(kubeconfig(tmp_path, f"https://127.0.0.1:{server.getsockname()[1]}"))
        with pytest.raises(refusal.Transient):
            kube.version()
        thread.join()


@pytest.mark.parametrize("content", [None, "", "[1, 2", "clusters: []", "just text"])
def test_an_unusable_kubeconfig_is_the_users_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="cannot be used"):
        Kube(path)


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1")
    with pytest.raises(UsageError, match="elsewhere"):
        Kube(path, context="elsewhere")


def test_a_kubeconfig_is_never_written_to(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1")
    before = path.read_bytes()
    Kube(path)
    assert path.read_bytes() == before
