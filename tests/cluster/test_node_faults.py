"""Faults of nodes and pods beyond their contract: what they do to Kubernetes, and odd ways out."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaoskit import clock
from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.container_scanner import ContainerScanner
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import ClusterError, KubernetesError
from chaoskit.faults import (
    CniConfigWithdrawn,
    ComponentPaused,
    ComponentStopped,
    ContainerFrozen,
    ContainerOutOfMemory,
    ContainerSignalled,
    DiskFilled,
    NodeKilled,
    NodePaused,
)
from chaoskit.faults.catalogue import fault_types
from chaoskit.faults.fault import Fault
from chaoskit.history.events import ContainerSeen
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.kube.kinds import Object
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.pod import Pod
from tests.cluster.faults import node, pod
from tests.cluster.faults.stage import SCRATCH, Stage

pytestmark = [pytest.mark.long, pytest.mark.alone]  # nodes go away and come back

_HEAL_AFTER_S = 120.0
LASTING = {
    name: sample
    for name, sample in {**node.SAMPLES, **pod.SAMPLES}.items()
    if not fault_types()[name].one_shot
}


@pytest.fixture
def stage(cluster: K3sCluster, namespace: Namespace) -> Stage:
    return Stage(cluster, namespace)


@contextmanager
def injected(fault: Fault, cluster: K3sCluster) -> Iterator[None]:
    try:
        fault.inject(cluster, heal_after_s=_HEAL_AFTER_S)
        waits(lambda: fault.is_effective(cluster), f"{fault.name} to be in effect", 15)
        yield
    finally:
        fault.heal(cluster)


def waits(condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    wait_until(condition, what=what, timeout_s=timeout_s)


def api_is_ready(stage: Stage) -> bool:
    try:
        return stage.cluster.kube.raw_get("/readyz", read_timeout_s=1) == "ok"
    except KubernetesError:
        return False


def routes(node: ContainerNode) -> set[str]:
    lines = node.execute(["ip", "route"], timeout_s=10).stdout.splitlines()
    return {line.strip() for line in lines}


def restarts(pod: Object) -> int:
    return sum(one["restartCount"] for one in pod["status"]["containerStatuses"])


@pytest.mark.parametrize("name", sorted(LASTING))
def test_a_fault_injected_twice_is_healed_once(name: str, stage: Stage) -> None:
    fault = LASTING[name].make(stage)
    with injected(fault, stage.cluster):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        assert fault.is_effective(stage.cluster)
    assert not fault.is_effective(stage.cluster)
    stage.agent.wait_ready(timeout_s=90)


def test_after_a_power_cut_a_node_is_as_before(stage: Stage) -> None:
    node, before = stage.agent, stage.small.read()
    routes_before = routes(node)
    fault = NodeKilled(node.name)
    with injected(fault, stage.cluster), pytest.raises(ClusterError):
        node.agent.call("hello")
    node.wait_ready(timeout_s=90)
    waits(lambda: restarts(stage.small.read()) == restarts(before) + 1, "its pod to start again")
    stage.small.wait_ready(60)
    waits(lambda: routes_before <= routes(node), "the routes that it had")
    assert node.agent.call("faults")["open"] == []


def test_a_node_can_be_killed_with_a_frozen_container_in_it(stage: Stage) -> None:
    """The cgroup freezer, version 1, holds even KILL back: such a node could not be ended."""
    frozen = ContainerFrozen.of(stage.small)
    with injected(frozen, stage.cluster):
        begun_ns = clock.now_ns()
        with injected(NodeKilled(stage.agent.name), stage.cluster):
            assert clock.now_ns() - begun_ns < 8e9
        assert not frozen.is_effective(stage.cluster)
    stage.agent.wait_ready(timeout_s=90)


def test_a_stopped_component_outlasts_the_pause_of_its_node(stage: Stage) -> None:
    stopped = ComponentStopped(stage.agent.name, "kube-proxy")
    with injected(stopped, stage.cluster):
        with injected(NodePaused(stage.agent.name), stage.cluster):
            pass
        assert stopped.is_effective(stage.cluster)
    assert not stopped.is_effective(stage.cluster)
    stage.agent.wait_ready(timeout_s=90)


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd", "kube-scheduler"])
@pytest.mark.parametrize("kind", [ComponentStopped, ComponentPaused])
def test_a_control_plane_without_a_part_is_measured_and_healed(
    kind: type[ComponentStopped | ComponentPaused], component: str, stage: Stage
) -> None:
    """At 1 Hz or more, though the API that is gone cannot be asked."""
    fault = kind(stage.server.name, component)
    needs_api = fault.reach.control_plane
    with injected(fault, stage.cluster):
        for _ in range(3):
            begun_ns = clock.now_ns()
            assert fault.is_effective(stage.cluster)
            assert clock.now_ns() - begun_ns < 1e9
        if needs_api:  # it looks at etcd now and then, so it may say ok for a moment more
            waits(lambda: not api_is_ready(stage), "the API to be unready", 15)
    assert not fault.is_effective(stage.cluster)
    assert stage.cluster.kube.raw_get("/readyz") == "ok"


def test_a_killed_agent_leaves_a_stopped_component_to_the_next_one(stage: Stage) -> None:
    node, fault = stage.agent, ComponentStopped(stage.agent.name, "kube-proxy")
    fault.inject(stage.cluster, heal_after_s=6.0)
    armed_ns = clock.now_ns()
    pid = node.agent.call("hello")["pid"]
    node.execute(["kill", "-9", str(pid)], timeout_s=10)
    waits(lambda: node.execute(["kill", "-0", str(pid)], timeout_s=10).exit_code != 0, "its end")
    node.wait_agent(timeout_s=15)
    assert fault.is_effective(stage.cluster)
    waits(lambda: not fault.is_effective(stage.cluster), "the timer to heal it", 15)
    assert 4e9 < clock.now_ns() - armed_ns < 12e9
    fault.heal(stage.cluster)


def test_pods_run_on_without_containerd_and_kubelet(stage: Stage) -> None:
    node, pod = stage.agent, stage.small.read()
    witness = ContainerFrozen.of(stage.small)
    request = "printf 'GET /ready HTTP/1.0\\r\\n\\r\\n'"
    ask = f"{request} | socat -t 3 - TCP:{pod['status']['podIP']}:8080"
    with (
        injected(ComponentStopped(node.name, "kubelet"), stage.cluster),
        injected(ComponentStopped(node.name, "containerd"), stage.cluster),
    ):
        assert "200 OK" in stage.server.execute(["sh", "-c", ask], timeout_s=10).stdout
        seen = node.agent.call(
            "container_state", pod_uid=witness.pod_uid, container_id=witness.container_id
        )
        assert seen["processes"]
        assert seen["sandbox"]
    node.wait_ready(timeout_s=90)
    assert stage.small.read()["status"]["containerStatuses"][0]["restartCount"] == 0


def test_without_network_configuration_no_pod_starts_until_it_is_back(stage: Stage) -> None:
    stage.small.read()
    with injected(CniConfigWithdrawn(stage.agent.name), stage.cluster):
        name = make_pod(stage, "late")
        waits(
            lambda: (
                "NetworkPluginNotReady" in complaint(stage, name)
                or "cni plugin not initialized" in complaint(stage, name)
            ),
            "the pod to be refused",
            40,
        )
    waits(lambda: phase(stage, name) == "Running", "the pod to start after the heal", 90)
    stage.agent.wait_ready(timeout_s=90)


def make_pod(stage: Stage, name: str) -> str:
    container = {"name": "a", "image": "chaoskit/busybox:1", "command": ["sleep", "600"]}
    stage.cluster.kube.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": stage.namespace.name},
            "spec": {
                "nodeName": stage.agent.name,
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
            },
        }
    )
    return name


def phase(stage: Stage, name: str) -> str:
    pod = stage.cluster.kube.get("Pod", name, stage.namespace.name)
    return str(pod["status"].get("phase"))


def complaint(stage: Stage, name: str) -> str:
    events = stage.cluster.kube.list("Event", stage.namespace.name)
    return " ".join(
        one.get("message", "") for one in events if one["involvedObject"]["name"] == name
    )


def test_faults_on_a_pod_that_has_gone_are_healed(stage: Stage) -> None:
    frozen = ContainerFrozen.of(stage.small)
    full = DiskFilled.of(stage.small, SCRATCH)
    signalled = ContainerSignalled.of(stage.small)
    lasting: tuple[Fault, ...] = (full, frozen)
    for fault in lasting:
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        assert fault.is_effective(stage.cluster)
    stage.small.delete(force=True)
    waits(
        lambda: (
            not stage.agent.agent.call(
                "container_state", pod_uid=frozen.pod_uid, container_id=frozen.container_id
            )["processes"]
        ),
        "the pod's last process to end, though it was stopped",
    )
    every: tuple[Fault, ...] = (frozen, full, signalled)
    for one in every:
        one.heal(stage.cluster)
        one.heal(stage.cluster)
    assert not stage.agent.agent.call("faults")["open"]
    with pytest.raises(ClusterError, match="does not run on this node"):
        signalled.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)


def test_the_machines_own_disk_is_refused(stage: Stage) -> None:
    node = stage.agent
    node.execute(["mkdir", "-p", "/var/lib/kubelet/folder"], timeout_s=10)
    for path, reason in {
        "/": "at most 1024 MB are filled",
        "/var/log": "at most 1024 MB are filled",
        "/var/lib/kubelet": "at most 1024 MB are filled",
        "/var/lib/chaoskit/shared": "at most 1024 MB are filled",
        "/run": "at most 1024 MB are filled",
        "/var/lib/kubelet/folder": "no file system of its own",
    }.items():
        with pytest.raises(ClusterError, match=reason):
            DiskFilled(node.name, path).inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        left = node.execute(["ls", f"{path}/.chaoskit-filling"], timeout_s=10)
        assert left.exit_code != 0


def test_memory_without_a_limit_is_not_filled(stage: Stage) -> None:
    name = make_pod(stage, "unlimited")
    waits(lambda: phase(stage, name) == "Running", "the pod")
    pod = Pod.of(stage.cluster.kube, stage.cluster.kube.get("Pod", name, stage.namespace.name))
    with pytest.raises(ClusterError, match="memory limit"):
        ContainerOutOfMemory.of(pod).inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)


def test_a_namespace_is_waited_for_until_its_controller_hears_of_it(stage: Stage) -> None:
    """After an absence of the API server the controllers' watches are back up to a minute later."""
    cluster = stage.cluster
    deaf = ComponentStopped(stage.server.name, "kube-controller-manager")
    with injected(deaf, cluster):
        hears_again = threading.Timer(25, deaf.heal, [cluster])
        hears_again.start()
        try:
            made = Namespace.create(cluster.kube, "unheard")
        finally:
            hears_again.join()
    made.delete()


def test_an_agent_node_has_no_control_plane_to_stop(stage: Stage) -> None:
    with pytest.raises(ClusterError, match="there are containerd, kube-proxy, kubelet"):
        ComponentStopped(stage.agent.name, "etcd").inject(stage.cluster, heal_after_s=5)


def test_the_container_scan_goes_on_after_a_power_cut(stage: Stage, tmp_path: Path) -> None:
    """The node's cgroups are made anew; what was alive is seen to end, and its successor to run."""
    pod = ContainerFrozen.of(stage.small)
    scanner = ContainerScanner.start(stage.cluster, tmp_path, tmp_path / "scan.log")
    try:
        with injected(NodeKilled(stage.agent.name), stage.cluster):
            pass
        waits(lambda: restarts(stage.small.read()) == 1, "its pod to start again")
        stage.small.wait_ready(60)
    finally:
        scanner.stop()
    stage.agent.wait_ready(timeout_s=90)
    history = History(folder=RecordFolder(tmp_path), info=None)
    seen = [one for one in history.of(ContainerSeen) if one.pod_uid == pod.pod_uid]
    assert [one.state for one in seen] == ["running", "gone", "running"]
    assert seen[0].container_id == seen[1].container_id == pod.container_id != seen[2].container_id
