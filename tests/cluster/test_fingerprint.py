"""The fingerprint of a cluster finds what a fault may leave behind: each kind is planted once."""

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaoskit.cluster.fingerprint import difference, fingerprint, left_after
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import NicDown
from chaoskit.waiting import wait_until

pytestmark = pytest.mark.alone  # the whole cluster is compared before and after

WITHIN_S = 10.0
CNI = "/var/lib/rancher/k3s/agent/etc/cni/net.d"


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is planted on the last node without a control plane, taken away, and how it shows."""

    plant: Callable[[K3sCluster], object]
    remove: Callable[[K3sCluster], object]
    shown: str


def shell(plant: str, remove: str, shown: str) -> Trace:
    def run(script: str) -> Callable[[K3sCluster], object]:
        def execute(cluster: K3sCluster) -> None:
            done = cluster.agents[-1].execute(["sh", "-c", script], timeout_s=WITHIN_S)
            assert done.exit_code == 0, done.stderr

        return execute

    return Trace(plant=run(plant), remove=run(remove), shown=shown)


def on_node(change: dict[str, object], back: dict[str, object], shown: str) -> Trace:
    def patch(what: dict[str, object]) -> Callable[[K3sCluster], object]:
        return lambda cluster: cluster.kube.patch("Node", cluster.agents[-1].name, None, what)

    return Trace(plant=patch(change), remove=patch(back), shown=shown)


def an_object(manifest: dict[str, object], shown: str) -> Trace:
    """An object of the default namespace, or of none."""
    meta = manifest["metadata"]
    assert isinstance(meta, dict)

    def remove(cluster: K3sCluster) -> None:
        cluster.kube.delete(str(manifest["kind"]), meta["name"], meta.get("namespace"))

    return Trace(plant=lambda cluster: cluster.kube.create(manifest), remove=remove, shown=shown)


def table(is_there: bool) -> Callable[[K3sCluster], None]:
    """Make or remove the nftables table `chaoskit-planted` in the node's network, by the kernel's
    own messages: the node has no tool for it.
    """
    new, delete = (10 << 8) | 0, (10 << 8) | 2
    batch = struct.pack("=BB", 0, 0) + struct.pack(">H", 10)  # of nftables
    body = struct.pack("=BBH", 1, 0, 0) + _attribute(1, b"chaoskit-planted\0")

    def send(namespace: Path) -> None:
        with namespace.open() as handle:
            assert CDLL(None).setns(handle.fileno(), 0x40000000) == 0
        with socket.socket(16, socket.SOCK_RAW, 12) as kernel:
            kernel.settimeout(WITHIN_S)
            kernel.send(
                _message(16, 1, batch)
                + _message(new if is_there else delete, 1 | 4 | (0x400 if is_there else 0), body)
                + _message(17, 1, batch)
            )
            answer = kernel.recv(1 << 16)
            assert struct.unpack_from("=i", answer, 16)[0] == 0, answer

    def act(cluster: K3sCluster) -> None:
        pid = cluster.agents[-1].inspect()["State"]["Pid"]
        with ThreadPoolExecutor(1) as thread:  # which enters the network and ends
            thread.submit(send, Path(f"/proc/{pid}/ns/net")).result()

    return act


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def network(join: bool) -> Callable[[K3sCluster], None]:
    """Let the node join the engine's own network, or leave it."""

    def act(cluster: K3sCluster) -> None:
        api, name = cluster.client.api, cluster.agents[-1].name
        if join:
            api.connect_container_to_network(name, "bridge")
        else:
            api.disconnect_container_from_network(name, "bridge")

    return act


def cut(cluster: K3sCluster) -> NicDown:
    return NicDown(cluster.agents[-1].name)


OURS = {"name": "chaoskit-planted", "namespace": "default"}
TRACES = {
    "link": shell("ip link set lo mtu 4000", "ip link set lo mtu 65536", "links: + lo "),
    "address": shell(
        "ip addr add 10.99.0.1/32 dev lo", "ip addr del 10.99.0.1/32 dev lo", "+ lo inet 10.99.0.1"
    ),
    "route": shell(
        "ip route add blackhole 10.98.0.0/16",
        "ip route del blackhole 10.98.0.0/16",
        "routes: + blackhole 10.98.0.0/16",
    ),
    "rule": shell(
        "ip rule add from 10.97.0.0/16 lookup main prio 99",
        "ip rule del from 10.97.0.0/16 lookup main prio 99",
        "rules: + 99: from 10.97.0.0/16",
    ),
    "queue": shell(
        "tc qdisc add dev eth0 root tbf rate 900mbit burst 1mbit latency 400ms",
        "tc qdisc del dev eth0 root",
        "queues: + qdisc tbf",
    ),
    "iptables": shell(
        "iptables -A INPUT -s 10.97.0.1 -m comment --comment chaoskit -j DROP",
        "iptables -D INPUT -s 10.97.0.1 -m comment --comment chaoskit -j DROP",
        "iptables: + -A INPUT -s 10.97.0.1",
    ),
    "nftables": Trace(
        plant=table(True), remove=table(False), shown="tables: + inet chaoskit-planted"
    ),
    "mount": shell("mount -t tmpfs none /mnt", "umount /mnt", "mounts: + /mnt tmpfs"),
    "file": shell(
        f"echo > {CNI}/99-planted.bak", f"rm {CNI}/99-planted.bak", f"{CNI}/99-planted.bak"
    ),
    "stopped process": shell(
        "pkill -STOP -f '^kubelet '", "pkill -CONT -f '^kubelet '", "processes: + kubelet stopped"
    ),
    "missing process": shell(
        "touch /run/planted; (while [ -e /run/planted ]; do pkill -9 -f '^kube-proxy '; done) "
        ">/dev/null 2>&1 &",
        "rm /run/planted",
        "processes: - kube-proxy runs",
    ),
    "paused container": Trace(
        plant=lambda cluster: cluster.agents[-1].pause(),
        remove=lambda cluster: cluster.agents[-1].unpause(),
        shown="container: + paused",
    ),
    "network": Trace(plant=network(True), remove=network(False), shown="networks: + bridge"),
    "open fault": Trace(
        plant=lambda cluster: cut(cluster).inject(cluster, heal_after_s=60),
        remove=lambda cluster: cut(cluster).heal(cluster),
        shown="faults: + link_down",
    ),
    "taint": on_node(
        {"spec": {"taints": [{"key": "planted", "effect": "PreferNoSchedule"}]}},
        {"spec": {"taints": None}},
        "taint planted=:PreferNoSchedule",
    ),
    "cordon": on_node(
        {"spec": {"unschedulable": True}}, {"spec": {"unschedulable": None}}, " cordoned"
    ),
    "annotation": on_node(
        {"metadata": {"annotations": {"faults.chaoskit.dev/planted": "x"}}},
        {"metadata": {"annotations": {"faults.chaoskit.dev/planted": None}}},
        "annotation faults.chaoskit.dev/planted",
    ),
    "object": an_object(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": OURS},
        "objects: + ConfigMap default/chaoskit-planted",
    ),
    "labelled object": an_object(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {
                "name": "planted",
                "namespace": "default",
                "labels": {"app.kubernetes.io/managed-by": "chaoskit"},
            },
            "spec": {"hard": {"pods": "1000"}},
        },
        "objects: + ResourceQuota default/planted label",
    ),
    "system": Trace(
        plant=lambda cluster: cluster.kube.patch(
            "ConfigMap", "coredns", "kube-system", {"data": {"planted": "x"}}
        ),
        remove=lambda cluster: cluster.kube.patch(
            "ConfigMap", "coredns", "kube-system", {"data": {"planted": None}}
        ),
        shown="system: + ConfigMap coredns",
    ),
}

#: What takes so much away that it hides other traces, or brings some of its own.
BY_ITSELF = ("stopped process", "missing process", "paused container", "open fault")
#: All others are planted together: looking takes much longer than planting.
AT_ONCE = tuple(kind for kind in TRACES if kind not in BY_ITSELF)


@pytest.fixture
def settled(cluster: K3sCluster) -> Iterator[K3sCluster]:
    """The cluster, with its last node as it was again afterwards."""
    yield cluster
    cluster.agents[-1].wait_ready(timeout_s=90)


def test_two_looks_at_an_untouched_cluster_differ_in_nothing(cluster: K3sCluster) -> None:
    first = fingerprint(cluster)
    unread = [f"{part}: {line}" for part, lines in first.items() for line in lines if
              "cannot be read" in line]  # fmt: skip
    assert unread == []
    # The pods of the test before may still end, and their links with them.
    assert left_after(cluster, first, timeout_s=WITHIN_S) == []


def test_a_pods_link_that_was_going_when_it_was_looked_at_is_no_trace_when_it_is_gone(
    cluster: K3sCluster,
) -> None:
    going = shell("ip link add vethgoing type veth", "ip link del vethgoing", "")
    going.plant(cluster)
    try:
        before = fingerprint(cluster)
    finally:
        going.remove(cluster)
    links = before[f"node {cluster.agents[-1].name}: links"]
    assert "vethgoing of a pod is down" in links
    assert left_after(cluster, before, timeout_s=WITHIN_S) == []


@pytest.mark.parametrize(
    "kinds", [AT_ONCE, *((kind,) for kind in BY_ITSELF)], ids=["at once", *BY_ITSELF]
)
def test_planted_traces_are_found_and_gone_when_they_are_removed(
    kinds: Sequence[str], settled: K3sCluster
) -> None:
    before = fingerprint(settled)
    with ExitStack() as planted:
        for kind in kinds:
            TRACES[kind].plant(settled)
            planted.callback(TRACES[kind].remove, settled)
        # What is done by another process, as the agent's supervisor does, takes a moment.
        wait_until(
            lambda: not hidden(kinds, difference(before, fingerprint(settled))),
            what="each of them in the difference",
            timeout_s=WITHIN_S,
            seen=lambda: hidden(kinds, difference(before, fingerprint(settled))),
        )
    assert left_after(settled, before, timeout_s=60) == []


def hidden(kinds: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Those of the kinds that no line shows."""
    return [kind for kind in kinds if not any(TRACES[kind].shown in line for line in lines)]
