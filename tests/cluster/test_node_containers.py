"""Nodes as containers: commands, logs, pauses, and the scan of what lives on them."""

import itertools
from contextlib import closing, suppress
from pathlib import Path

import docker
import psutil
import pytest

from chaoskit.cluster import engine as engines
from chaoskit.cluster.container_scanner import ContainerScanner, node_cgroup
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.launch.heartbeat import Heartbeat
from chaoskit.errors import ClusterError
from chaoskit.history.events import ContainerScan, ContainerSeen
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.waiting import wait_until

pytestmark = pytest.mark.alone  # containers of nodes are killed


def test_logs_of_every_component_are_collected(cluster: K3sCluster, tmp_path: Path) -> None:
    cluster.collect_logs(tmp_path)
    for node in cluster.nodes:
        files = {file.name: file.stat().st_size for file in (tmp_path / node.name).iterdir()}
        wanted = {"container.log", "kubelet.log", "kube-proxy.log", "containerd.log"}
        if node.role == "server":
            wanted |= {"kube-apiserver.log", "etcd.log", "kube-scheduler.log"}
        assert wanted <= files.keys()
        assert all(files[one] for one in wanted), files


def test_a_command_that_hangs_ends_at_its_deadline(cluster: K3sCluster) -> None:
    node = cluster.nodes[0]
    with pytest.raises(Exception, match="waited for the end of sleep 60"):
        node.execute(["sleep", "60"], timeout_s=1)
    left = node.execute(["sh", "-c", "pgrep -fx 'sleep 60' || echo none"], timeout_s=10)
    assert left.stdout.strip() == "none"


def test_output_and_exit_codes_come_through_whole(cluster: K3sCluster) -> None:
    node = cluster.nodes[0]
    done = node.execute(["sh", "-c", "seq 200000; echo problem >&2; exit 9"], timeout_s=20)
    assert (done.exit_code, done.stderr.strip()) == (9, "problem")
    assert done.stdout.split() == [str(number) for number in range(1, 200001)]


def test_a_paused_node_says_so_and_misses_beats(cluster: K3sCluster) -> None:
    node = cluster.nodes[-1]
    node.agent.call("hello")
    node.pause()
    try:
        with pytest.raises(ClusterError, match="is paused"):
            node.execute(["true"], timeout_s=5)
        beats = Heartbeat(lambda: [node])
        beats.beat()
        assert beats.missed.keys() == {node.name}
    finally:
        node.unpause()
    beats.beat()
    assert beats.missed == {}
    node.wait_ready(timeout_s=60)


def test_node_cgroups_are_those_of_the_nodes(cluster: K3sCluster) -> None:
    for inspection in cluster.node_inspections():
        path = node_cgroup(inspection)
        assert path.name.count(inspection["Id"]) == 1
        assert (path / "kubepods").is_dir() or (path / "kubepods.slice").is_dir()


def test_the_scanner_is_cheap_and_dies_with_its_parent(cluster: K3sCluster, tmp_path: Path) -> None:
    scanner = ContainerScanner.start(cluster, tmp_path, tmp_path / "scan.log")
    process = psutil.Process(scanner.pid)
    before = process.cpu_times()
    with suppress(psutil.TimeoutExpired):
        process.wait(timeout=4)
    after = process.cpu_times()
    scanner.stop()
    spent_s = after.user + after.system - before.user - before.system
    assert spent_s / 4 < 0.05
    assert (tmp_path / "scan.log").read_text() == ""


def test_the_scan_records_each_containers_life(cluster: K3sCluster, tmp_path: Path) -> None:
    kube, node = cluster.kube, cluster.nodes[-1]
    scanner = ContainerScanner.start(cluster, tmp_path, tmp_path / "scan.log")
    try:
        made = kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "scanned", "namespace": "default"},
                "spec": {
                    "nodeName": node.name,
                    "restartPolicy": "Never",
                    "containers": [
                        {"name": "a", "image": "chaoskit/busybox:1", "command": ["sleep", "3"]}
                    ],
                },
            }
        )
        wait_until(
            lambda: kube.get("Pod", "scanned", "default")["status"]["phase"] == "Succeeded",
            what="the pod to end",
            timeout_s=60,
        )
    finally:
        kube.delete("Pod", "scanned", "default", grace_period_s=0)
        scanner.stop()

    history = History(folder=RecordFolder(tmp_path), info=None)
    seen = [one for one in history.of(ContainerSeen) if one.pod_uid == made["metadata"]["uid"]]
    assert [(one.node, one.state) for one in seen] == [(node.name, "running"), (node.name, "gone")]
    began, ended = seen
    assert began.container_id == ended.container_id
    assert 2.5e9 < ended.time_ns - began.time_ns < 4.5e9
    assert all(0 < one.time_ns - one.before_ns < 1e9 for one in seen)
    scans = history.of(ContainerScan)
    assert {one.node for one in scans} == {one.name for one in cluster.nodes}
    for one in cluster.nodes:
        own = [scan for scan in scans if scan.node == one.name]
        assert all(later.since_ns == scan.time_ns for scan, later in itertools.pairwise(own))


def test_the_engine_grants_what_is_asked_and_no_more(cluster: K3sCluster) -> None:
    with closing(docker.DockerClient(base_url=engines.require().endpoint)) as client:
        config = client.api.inspect_container(cluster.nodes[0].name)["HostConfig"]
    rights = engines.require().rights
    assert config["Privileged"] == rights.privileged
    assert config["CgroupnsMode"] == "private"
    assert config["NetworkMode"] == cluster.name
    assert config["PidMode"] == config["UTSMode"] == ""
