"""Nodes that lose power, are shut down, or are reset."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NodeKilled, NodeRebooted, NodeStopped
from chaoskit.guarantees import (
    availability,
    degradation,
    evicted_between,
    failures_attributed,
    moves_off_within,
    never_made_again,
    no_surplus_after,
    one_per_node,
    recovers_within,
    same_pods_come_back,
)
from chaoskit.run import Run
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.specimen import Daemon, Web
from chaoskit.workloads.static_pod import StaticPod

#: A load's own: how long it waits for a connection, and for an answer.
DEADLINE_S = 2.0
StartPod = Callable[..., Pod]
StartStaticPod = Callable[[str, ContainerNode], StaticPod]


@pytest.mark.row("N4", "N14")
@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize("off", [NodeKilled, NodeStopped])
def test_a_node_that_is_off_loses_its_pods(
    cluster: K3sCluster,
    chaos: Run,
    web: Web,
    daemon: Daemon,
    start_pod: StartPod,
    start_static_pod: StartStaticPod,
    off: type[NodeKilled] | type[NodeStopped],
) -> None:
    """A node loses power, or is shut down, for longer than its pods tolerate.

    Goal: know what comes back elsewhere, what with the node, and what never.
    Method: pods of a Deployment and a DaemonSet, a bare and a static one on the node; turn it off
    under load until the Deployment runs elsewhere, then on.
    Expectation: as without network for the Deployment; the bare pod is never made again; the
    DaemonSet's and the static pod are back with the node, restarted once.
    """
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim, bounds, fault = cluster.node_of(pod), bounds_of(cluster), off.name
    bare, static = start_pod("bare", victim), start_static_pod("static", victim)
    stay, back_s, tolerated_s = (daemon, static.mirror), bounds.restarted_s, bounds.tolerated_s
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(off(victim.name), effective_within_s=40):
            pod.wait_terminating(timeout_s=bounds.evicted_s)
            web.deployment.wait_ready(timeout_s=30)
            load.run_for(seconds=2)
        victim.wait_ready(timeout_s=bounds.ready_again_s)
        bare.wait_gone(timeout_s=bounds.settled_s)
        static.mirror.wait_ready(timeout_s=30)
        load.run_for(seconds=10)
    chaos.check(
        degradation(0.95, bounds.unnoticed_s(deadline_s=DEADLINE_S), during=fault),
        moves_off_within(bounds.moved_s, web, victim, fault=fault),
        no_surplus_after(bounds.settled_s, web, fault=fault),
        evicted_between(bare, victim, tolerated_s, bounds.evicted_s, fault=fault),
        never_made_again(bare),
        *(same_pods_come_back(back_s, p, victim, fault=fault, restarts=1) for p in stay),
        failures_attributed(),
    )


@pytest.mark.row("N4", "N14")
@pytest.mark.alone
@pytest.mark.long
def test_a_node_that_is_reset_starts_its_pods_again(
    cluster: K3sCluster, chaos: Run, web: Web, daemon: Daemon, start_static_pod: StartStaticPod
) -> None:
    """A node loses power and has it again at once.

    Goal: a reset costs a restart of each container, and no pod.
    Method: a Deployment's, a DaemonSet's and a static pod on the node; reset it under load.
    Expectation: requests on new connections are lost no longer than without network; each pod is
    the same afterwards, each of its containers restarted once; nothing is lost from then on, as
    soon as kube-proxy knows the pods' new addresses.
    """
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim, bounds, fault = cluster.node_of(pod), bounds_of(cluster), "node_rebooted"
    static, back_s = start_static_pod("static", victim), bounds.restarted_s
    noticed_s = bounds.unnoticed_s(deadline_s=DEADLINE_S)
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=5)
        with chaos.inject(NodeRebooted(victim.name)):
            pass  # its heal waits until the node is back
        daemons = [p for p in daemon.daemon_set.pods() if cluster.node_of(p) == victim]
        for each in (pod, static.mirror, *daemons):
            each.wait_restarted(timeout_s=back_s)
        load.run_for(seconds=bounds.programmed_s)
        with chaos.phase("back"):
            load.run_for(seconds=20)
    chaos.check(
        degradation(0.95, noticed_s, during=fault, connection="new"),
        same_pods_come_back(back_s, web, victim, fault=fault, restarts=1),
        same_pods_come_back(back_s, daemon, victim, fault=fault, restarts=1),
        same_pods_come_back(back_s, static.mirror, victim, fault=fault, restarts=1),
        one_per_node(daemon),
        recovers_within(back_s, web, fault=fault),
        availability(0.999, phase="back", minimum_requests=1000),
        failures_attributed(),
    )
