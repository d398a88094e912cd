"""Faults of nodes through the API: only what is ours is undone, and refusals are passed on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chaoskit.errors import FaultError, WaitTimeout
from chaoskit.faults import NodeCordoned, NodeDeleted, NodeDrained, NodeOutOfService, NodeTainted
from chaoskit.faults.fault import Fault
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound
from chaoskit.waiting import wait_until
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.faults import elsewhere
from tests.cluster.faults.stage import Stage

pytestmark = [pytest.mark.long, pytest.mark.alone]  # workloads that go and recover

_SOON_S = 20.0
_READY_S = 60.0
_HEAL_AFTER_S = 120.0
_KEY = "faults.chaoskit.dev/tainted"


def pinned_pod(stage: Stage, name: str, *, wait: bool = True) -> Pod:
    """A bare pod that can only run on the node that faults are tried on."""
    spec = SpecimenPod(pre_stop_s=0, drain_s=0.0).template({})["spec"]
    spec["nodeSelector"] = {"kubernetes.io/hostname": stage.agent.name}
    metadata = {"name": name, "namespace": stage.namespace.name}
    stage.cluster.kube.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    )
    pod = Pod(kube=stage.cluster.kube, ref=ObjectRef("Pod", stage.namespace.name, name))
    if wait:
        pod.wait_ready(_READY_S)
    return pod


def node(stage: Stage) -> Object:
    return stage.cluster.kube.get("Node", stage.agent.name)


def taints(stage: Stage) -> list[str]:
    found = node(stage)["spec"].get("taints") or ()
    return sorted(f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in found)


def set_taints(stage: Stage, *wanted: Object) -> None:
    change = {"spec": {"taints": list(wanted) or None}}
    stage.cluster.kube.patch("Node", stage.agent.name, None, change)


def inject(stage: Stage, fault: Fault) -> None:
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    wait_until(lambda: fault.is_effective(stage.cluster), what="its effect", timeout_s=_SOON_S)


@contextmanager
def busy_writer(kube: Kube, name: str) -> Iterator[None]:
    """Somebody who changes the node's object all the time."""
    over = threading.Event()
    failures: list[Exception] = []

    def write() -> None:
        count = 0
        while not over.wait(0.005):
            count += 1
            change = {"metadata": {"annotations": {"example.org/count": str(count)}}}
            try:
                kube.patch("Node", name, None, change)
            except Exception as error:
                failures.append(error)
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        kube.patch("Node", name, None, {"metadata": {"annotations": {"example.org/count": None}}})
    assert failures == []


@pytest.fixture(autouse=True)
def node_as_before(stage: Stage) -> Iterator[None]:
    """What a test leaves on the node would be the next one's trouble."""
    stage.agent.wait_ready(timeout_s=_READY_S)
    before = node(stage)
    yield
    after = node(stage)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert "faults.chaoskit.dev" not in str(after["metadata"]["annotations"])


def test_no_pod_is_bound_to_a_tainted_node_until_it_is_healed(stage: Stage) -> None:
    fault = NodeTainted(stage.agent.name)
    inject(stage, fault)
    try:
        pod = pinned_pod(stage, "waits", wait=False)
        pod.wait_reason("Unschedulable", timeout_s=_SOON_S)
    finally:
        elsewhere.heal(fault, stage.cluster)
    pod.wait_ready(_READY_S)


@pytest.mark.parametrize("kind", [NodeTainted, NodeOutOfService])
def test_pods_leave_a_node_that_executes_its_taint(
    kind: type[NodeTainted | NodeOutOfService], stage: Stage
) -> None:
    pod = pinned_pod(stage, "leaves")
    fault = (
        NodeTainted(stage.agent.name, effect="NoExecute")
        if kind is NodeTainted
        else NodeOutOfService(stage.agent.name)
    )
    inject(stage, fault)
    try:
        pod.wait_gone(_SOON_S)
    finally:
        elsewhere.heal(fault, stage.cluster)


def test_taints_of_others_stay(stage: Stage) -> None:
    theirs = {"key": _KEY, "value": "theirs", "effect": "PreferNoSchedule"}
    fault = NodeTainted(stage.agent.name, value="ours")
    inject(stage, fault)
    set_taints(stage, *node(stage)["spec"]["taints"], theirs)
    fault.heal(stage.cluster)
    assert taints(stage) == [f"{_KEY}=theirs:PreferNoSchedule"]
    set_taints(stage)


def test_a_taint_whose_value_somebody_changed_is_theirs(stage: Stage) -> None:
    fault = NodeTainted(stage.agent.name, value="ours")
    inject(stage, fault)
    set_taints(stage, {"key": _KEY, "value": "theirs", "effect": "NoSchedule"})
    assert not fault.is_effective(stage.cluster)
    fault.heal(stage.cluster)
    assert taints(stage) == [f"{_KEY}=theirs:NoSchedule"]
    with pytest.raises(FaultError, match=r"bears a taint .* already, and not by this fault"):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    set_taints(stage)


def test_two_taints_are_healed_in_any_order(stage: Stage) -> None:
    first = NodeTainted(stage.agent.name, key="example.org/first")
    second = NodeTainted(stage.agent.name, key="example.org/second")
    inject(stage, first)
    inject(stage, second)
    first.heal(stage.cluster)
    assert taints(stage) == ["example.org/second=:NoSchedule"]
    second.heal(stage.cluster)
    assert taints(stage) == []


def test_a_node_that_others_change_all_the_time_is_tainted_and_healed(stage: Stage) -> None:
    fault = NodeTainted(stage.agent.name)
    with busy_writer(stage.cluster.kube, stage.agent.name):
        for _ in range(5):
            inject(stage, fault)
            fault.heal(stage.cluster)
            assert taints(stage) == []


def test_a_cordon_of_others_is_neither_taken_over_nor_undone(stage: Stage) -> None:
    kube, name = stage.cluster.kube, stage.agent.name
    fault = NodeCordoned(name)
    kube.patch("Node", name, None, {"spec": {"unschedulable": True}})
    try:
        with pytest.raises(FaultError, match="cordoned already"):
            fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        fault.heal(stage.cluster)
        assert node(stage)["spec"]["unschedulable"]
    finally:
        kube.patch("Node", name, None, {"spec": {"unschedulable": None}})
    wait_until(lambda: taints(stage) == [], what="no taint", timeout_s=_SOON_S)

    inject(stage, fault)
    kube.patch("Node", name, None, {"spec": {"unschedulable": None}})  # they uncordon it
    elsewhere.heal(fault, stage.cluster)


def test_a_drain_waits_for_budgets_and_says_whose(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    pods = stage.web.deployment.pods()
    on_it = [pod.name for pod in pods if pod.node_name == stage.agent.name]
    assert on_it, "no pod of web came to this node"
    budget: Object = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all", "namespace": namespace},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
    }
    kube.create(budget)
    wait_until(
        lambda: kube.get("PodDisruptionBudget", "all", namespace)["status"].get("currentHealthy"),
        what="the budget to be counted",
        timeout_s=_SOON_S,
    )
    fault = NodeDrained(stage.agent.name, drained_within_s=3.0)
    try:
        with pytest.raises(WaitTimeout, match=f"{namespace}/{on_it[0]}: .*disruption budget"):
            fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        assert not fault.is_effective(stage.cluster)
        kube.delete("PodDisruptionBudget", "all", namespace)
        fault = NodeDrained(stage.agent.name)
        inject(stage, fault)
        assert all(pod.node_name != stage.agent.name for pod in stage.web.deployment.pods())
    finally:
        elsewhere.heal(fault, stage.cluster)


def test_bare_pods_are_drained_only_when_that_is_meant(stage: Stage) -> None:
    bare = pinned_pod(stage, "bare")
    fault = NodeDrained(stage.agent.name)
    with pytest.raises(FaultError, match=r"belong to no controller.*\n.*bare"):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert "unschedulable" not in node(stage)["spec"]
    assert bare.read()["status"]["phase"] == "Running"

    meant = NodeDrained(stage.agent.name, bare_pods=True)
    inject(stage, meant)
    bare.wait_gone(0.5)
    meant.heal(stage.cluster)


def test_pods_of_daemon_sets_stay_when_a_node_is_drained(stage: Stage) -> None:
    template = SpecimenPod(pre_stop_s=0, drain_s=0.0).template({"app": "each"})
    metadata = {"name": "each", "namespace": stage.namespace.name}
    spec = {"selector": {"matchLabels": {"app": "each"}}, "template": template}
    kube = stage.cluster.kube
    kube.create({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec})
    nodes = len(stage.cluster.nodes)

    def ready() -> bool:
        status = kube.get("DaemonSet", "each", stage.namespace.name).get("status", {})
        return bool(status.get("numberReady", 0) == nodes)

    wait_until(ready, what="the daemon set", timeout_s=_READY_S)
    fault = NodeDrained(stage.agent.name)
    inject(stage, fault)
    assert ready()
    fault.heal(stage.cluster)


@pytest.mark.parametrize("registers", [False, True], ids=["stays_away", "registers_by_itself"])
def test_a_deleted_node_comes_back_as_it_was(registers: bool, stage: Stage) -> None:
    kube, name = stage.cluster.kube, stage.agent.name
    theirs = {"key": "example.org/theirs", "value": "1", "effect": "PreferNoSchedule"}
    labels: Object = {"example.org/rack": "r1"}
    kube.patch("Node", name, None, {"metadata": {"labels": labels}})
    set_taints(stage, theirs)
    before = node(stage)
    fault = NodeDeleted(name)
    try:
        inject(stage, fault)
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)  # again: the note must stay
        if registers:
            stage.agent.execute(["k3s", "component", "restart", "kubelet"], timeout_s=30)
            wait_until(lambda: kube.find("Node", name), what="its registration", timeout_s=_READY_S)
            stage.agent.wait_ready(timeout_s=_READY_S)
            assert "example.org/rack" not in node(stage)["metadata"]["labels"]
            assert not fault.is_effective(stage.cluster)
        else:
            with pytest.raises(NotFound):
                NodeCordoned(name).inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        elsewhere.heal(fault, stage.cluster)
        after = node(stage)
        assert after["metadata"]["uid"] != before["metadata"]["uid"]
        assert after["metadata"]["labels"] == before["metadata"]["labels"]
        assert after["spec"] == before["spec"]
        pinned_pod(stage, "back")
    finally:
        fault.heal(stage.cluster)
        kube.patch("Node", name, None, {"metadata": {"labels": {"example.org/rack": None}}})
        set_taints(stage)
