"""The launcher on a real engine: what it starts, what it leaves behind (nothing), what it says."""

import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.cluster import engine as engines
from chaoskit.cluster import k3s
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import labels, leftovers, node_image, resident_agent
from chaoskit.cluster.launch.agent_binary import agent_binary
from chaoskit.errors import ClusterError, EngineError, Hopeless, ImageError, UsageError
from chaoskit.waiting import wait_until
from tests.cluster.clusters import IMAGE, SMALL, things, volumes


def test_removal_leaves_nothing(provider: K3sProvider, name: str, state: Path) -> None:
    before = volumes(provider)
    cluster = provider.start(replace(SMALL, name=name))
    hosts = cluster.kube.get("ConfigMap", "coredns", "kube-system")["data"]["NodeHosts"]
    assert hosts.split()[1::2] == [node.name for node in cluster.nodes], "not ready when said so"
    used = [mount["Name"] for row in cluster.node_inspections() for mount in row["Mounts"]]
    assert len(used) == 5
    assert set(used) <= volumes(provider) - before
    cluster.heartbeat.beat()
    assert cluster.heartbeat.missed == {}
    assert cluster.facts.keys() >= {"image", "image_id", "kubernetes", "provider", "profile"}

    provider.stop(cluster)

    assert things(provider, name) == []
    assert not volumes(provider) & set(used)
    assert not (state / "clusters" / name).exists()


def test_what_others_are_removing_just_now_is_waited_for(provider: K3sProvider, name: str) -> None:
    """A guardian, a sweep and whoever owns a cluster may come at the same time."""
    tags = labels.labels(cluster=name, owner=labels.this_process(), keep=False)
    for number in range(6):
        run = {"name": f"{name}-{number}", "labels": tags, "detach": True, "network_mode": "none"}
        provider.client.containers.run("chaoskit/pause:1", **run)
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: leftovers.remove(provider.client, name), range(3)))
        assert things(provider, name) == []
    assert sum(counts) >= 6


@pytest.mark.long
def test_workload_images_are_in_the_nodes_before_they_start(
    provider: K3sProvider, name: str
) -> None:
    reference = f"chaoskit-test/{name}:1"
    provider.client.images.get("chaoskit/busybox:1").tag(*reference.split(":"))
    try:
        cluster = provider.start(replace(SMALL, name=name, images=(reference,)))
    finally:
        provider.client.images.remove(reference)
    listed = cluster.nodes[0].execute(
        ["ctr", "-n", "k8s.io", "images", "ls", "-q", f"name~={name}"], timeout_s=20
    )
    assert reference in listed.stdout
    provider.stop(cluster)


@pytest.mark.parametrize(
    "image, words",
    [
        ("chaoskit/pause:1", "cannot run /bin/sh"),
        ("chaoskit/busybox:1", "has no /bin/k3s"),
        ("chaoskit-test/absent:1", "not present and cannot be pulled"),
    ],
)
def test_what_is_no_node_image_is_said_and_removed(
    provider: K3sProvider, name: str, image: str, words: str
) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        provider.start(replace(SMALL, name=name, image=image))
    assert caught.value.next_step
    assert things(provider, name) == []


def test_an_absent_workload_image_ends_the_start_with_its_name(
    provider: K3sProvider, name: str
) -> None:
    with pytest.raises(ImageError, match="chaoskit-test/absent:1"):
        provider.start(replace(SMALL, name=name, images=("chaoskit-test/absent:1",)))
    assert things(provider, name) == []


@pytest.mark.long
def test_a_taken_port_is_passed_over(
    provider: K3sProvider, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = k3s._free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1]]
        monkeypatch.setattr(k3s, "_free_port", lambda: ports.pop() if ports else free())
        cluster = provider.start(replace(SMALL, name=name))
    assert ports == []
    assert cluster.nodes[0].published_port(6443)
    provider.stop(cluster)


@pytest.mark.long
def test_an_engine_that_refuses_privileged_is_asked_for_what_it_has(
    provider: K3sProvider, name: str
) -> None:
    """Where the engine grants it after all, the nodes are privileged; the facts say which."""
    hopeful = engines.Rights(privileged=True, capabilities=(), because="untried", certain=False)
    other = K3sProvider(engine=replace(provider.engine, rights=hopeful))
    with closing(other):
        cluster = other.start(replace(SMALL, name=name))
        granted = cluster.nodes[0].inspect()["HostConfig"]["Privileged"]
        assert granted == provider.engine.rights.privileged
        assert cluster.facts["rights"] == ("privileged" if granted else "capabilities")
        other.stop(cluster)


@pytest.mark.long
def test_a_node_image_of_others_gets_the_agent_copied_in(provider: K3sProvider, name: str) -> None:
    """As rancher/k3s needs it; here the built image under a name that is not known as built."""
    image = node_image.resolve(provider.client, IMAGE, print)
    foreign = f"chaoskit-test/{name}:1"
    provider.client.images.get(image.reference).tag(*foreign.split(":"))
    try:
        cluster = provider.start(replace(SMALL, name=name, image=foreign))
        assert "separate_components" not in cluster.capabilities
        node = cluster.nodes[0]
        inside = node.execute(["sha256sum", resident_agent.PATH], timeout_s=10).stdout.split()[0]
        assert inside == hashlib.sha256(agent_binary().read_bytes()).hexdigest()
        assert node.agent.call("hello")["hostname"] == node.name
        provider.stop(cluster)
    finally:
        provider.client.images.remove(foreign)


@pytest.mark.long
def test_a_name_in_use_is_refused(provider: K3sProvider, name: str) -> None:
    provider.client.api.create_volume(
        name=f"{name}-shared",
        labels=labels.labels(cluster=name, owner=labels.this_process(), keep=False),
    )
    with pytest.raises(ClusterError, match="of that name exists"):
        provider.start(replace(SMALL, name=name))


def test_another_providers_cluster_is_not_stopped(provider: K3sProvider) -> None:
    with pytest.raises(UsageError, match="not a cluster of this provider"):
        provider.stop(object())  # type: ignore[arg-type]


@pytest.mark.long
def test_nodes_that_nobody_needs_end_themselves(provider: K3sProvider, name: str) -> None:
    cluster = provider.start(replace(SMALL, name=name))
    cluster.heartbeat.stop()
    node = cluster.nodes[0]
    node.agent.call("heartbeat", ttl_s=1)
    wait_until(
        lambda: node.inspect()["State"]["Status"] == "exited",
        what="the node to end itself",
        timeout_s=40,
        seen=lambda: node.inspect()["State"],
    )
    provider.stop(cluster)


def test_a_node_that_ends_during_the_start_ends_the_start(provider: K3sProvider, name: str) -> None:
    def kill_when_asked_for_the_api(step: str) -> None:
        if "API server" in step:
            provider.client.api.kill(f"{name}-server-0")

    impatient = K3sProvider(progress=kill_when_asked_for_the_api)
    with pytest.raises(Hopeless, match="ended with exit code 137") as caught:
        impatient.start(replace(SMALL, name=name))
    impatient.close()
    assert f"{name}-server-0" in str(caught.value)
    assert things(provider, name) == []
    (note,) = (one for one in caught.value.__notes__ if "logs" in one)
    assert (Path(note.split()[-1]) / f"{name}-server-0" / "container.log").exists()


class Door:
    """A socket in front of the engine's, which can be shut: an engine that stops answering."""

    def __init__(self, path: Path, behind: Path) -> None:
        self.endpoint = f"unix://{path}"
        self._behind = behind
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._path = path
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                outer, _ = self._listener.accept()
                inner = socket.socket(socket.AF_UNIX)
                inner.connect(str(self._behind))
                self._open += [outer, inner]
                for pair in ((outer, inner), (inner, outer)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        """Close everything, as an engine does that is killed."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.mark.long
def test_an_engine_that_stops_in_mid_run_is_said(
    provider: K3sProvider, name: str, tmp_path: Path
) -> None:
    behind = engines.socket_path(provider.engine.endpoint)
    assert behind is not None
    door = Door(tmp_path / "engine.sock", behind)
    other = K3sProvider(engine=replace(provider.engine, endpoint=door.endpoint))
    cluster = other.start(replace(SMALL, name=name))
    door.shut()

    with pytest.raises(EngineError, match="stopped answering") as caught:
        cluster.nodes[0].execute(["true"], timeout_s=5)
    assert "chaoskit cluster sweep" in str(caught.value)
    cluster.heartbeat.beat()
    assert cluster.heartbeat.missed.keys() == {f"{name}-server-0"}
    cluster.collect_logs(tmp_path / "logs")
    missing = (tmp_path / "logs" / f"{name}-server-0" / "missing.txt").read_text()
    assert "stopped answering" in missing
    with pytest.raises(EngineError):
        other.stop(cluster)
    other.close()

    assert leftovers.remove(provider.client, name) > 0
    assert things(provider, name) == []
