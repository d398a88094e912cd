"""Nodes on which no pod can start, though those that run go on."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node import Node
from chaoskit.faults import CniConfigWithdrawn, ComponentPaused, ComponentStopped
from chaoskit.guarantees import (
    no_request_lost,
    node_reason_shown,
    reason_shown,
    rollout_completes_within,
    runs_untouched,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import CONTAINER, image

StartWeb = Callable[..., Web]

#: Tries of a kubelet: it tries a container again 10 to 15 s later, and only if it has listed its
#: node's pods (each second) since the last try. There are two tries at once: one that makes the
#: sandbox, and one when the list shows it.
LISTED_AFTER_S = 4


def bound_to(node: Node, **container: str) -> dict[str, object]:
    """The change that puts new pods on a node and keeps them there, NotReady or not."""
    spec = {
        "nodeName": node.name,
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": CONTAINER, **container}],
    }
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.alone
@pytest.mark.row("I11")
def test_a_node_without_network_configuration_says_so(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb
) -> None:
    """A node loses its network configuration while a pod is to start there.

    Goal: the node and the pod say what is missing, and what runs goes on.
    Method: withdraw the configuration, put new pods on that node, wait for the reasons, then put
    it back.
    Expectation: within 30 s the node is NotReady with NetworkPluginNotReady, and the new pod says
    so too; it runs by itself within 60 s of the heal; no request is lost.
    """
    web = start_web(replicas=2, progress_deadline_s=600)
    victim = cluster.agents[1]
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(CniConfigWithdrawn(victim.name)):
            web.deployment.edit(bound_to(victim))
            web.deployment.wait_reasons("NetworkNotReady", timeout_s=60)
            victim.wait_not_ready(timeout_s=60)
            load.run_for(seconds=2)
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=1)
    missing, fault = "NetworkPluginNotReady", "cni_config_withdrawn"
    chaos.check(
        node_reason_shown(victim, "KubeletNotReady", message=missing, within_s=30, fault=fault),
        reason_shown(web, "NetworkNotReady", message=missing, after="edit"),
        runs_untouched(60, web, fault=fault),
        no_request_lost(),
    )


@pytest.mark.alone
@pytest.mark.row("I13")
def test_a_node_without_container_runtime_says_so(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb
) -> None:
    """The container runtime of a node is stopped while pods are to start there.

    Goal: the node and the pods say what is missing, and what runs goes on.
    Method: bind a pod to the node whose image may not be pulled, so that its container is tried
    again and again; between two tries stop containerd, bind another pod, wait for the reasons;
    start containerd, undo.
    Expectation: the first pod shows ImageInspectError at its next try, the second one, within 30 s,
    that no sandbox can be made; the node is NotReady, "container runtime is down", 30 s and two of
    its reports (10 s) after the fault; all is as before 60 s after the heal; no request is lost.
    """
    web = start_web(replicas=2, progress_deadline_s=600)
    victim, gone = cluster.agents[1], "connection refused"
    never = bound_to(victim, image=image("not-there"), imagePullPolicy="Never")
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit(never)
        web.deployment.wait_reasons("ErrImageNeverPull", timeout_s=30)
        load.run_for(seconds=LISTED_AFTER_S)
        with chaos.inject(ComponentStopped(victim.name, "containerd")):
            web.deployment.wait_reasons("InspectFailed", timeout_s=60)
            web.deployment.restart()
            web.deployment.wait_reasons("FailedCreatePodSandBox", timeout_s=60)
            victim.wait_not_ready(timeout_s=90)
        web.deployment.undo(to_revision=1)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    down, fault = "container runtime is down", "component_stopped"
    chaos.check(
        reason_shown(web, "Failed", message="ImageInspectError", within_s=60, after="edit"),
        reason_shown(web, "FailedCreatePodSandBox", message=gone, after="restart"),
        node_reason_shown(victim, "KubeletNotReady", message=down, within_s=50, fault=fault),
        rollout_completes_within(60, web, step="undo"),
        no_request_lost(),
    )


@pytest.mark.alone
@pytest.mark.row("I13")
def test_a_container_runtime_that_hangs_only_delays(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb
) -> None:
    """The container runtime of a node hangs while a pod is to start there.

    Goal: know that a hanging runtime says less than one that is gone.
    Method: pause containerd, bind a pod to the node, leave it for 20 s, let containerd go on.
    Expectation: the pod says ContainerCreating and nothing more, as the kubelet waits for its
    runtime for minutes, and the node stays Ready meanwhile; then it runs by itself within 60 s;
    no request is lost.
    """
    web = start_web(replicas=2, progress_deadline_s=600)
    victim = cluster.agents[1]
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(ComponentPaused(victim.name, "containerd")):
            web.deployment.edit(bound_to(victim))
            load.run_for(seconds=20)
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, "ContainerCreating", after="edit"),
        runs_untouched(60, web, fault="component_paused"),
        no_request_lost(),
    )
