"""What the kubelet runs on each node, whatever the API says: daemon sets' pods and static ones."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    failures_attributed,
    not_evicted,
    one_per_node,
    same_pods_come_back,
    service_recovers_within,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Daemon
from chaoskit.workloads.static_pod import StaticPod


@pytest.mark.row("N14")
@pytest.mark.alone
@pytest.mark.long
def test_pods_that_belong_to_their_node_outlast_its_absence(
    cluster: K3sCluster,
    chaos: Run,
    daemon: Daemon,
    start_static_pod: Callable[[str, ContainerNode], StaticPod],
) -> None:
    """A node with a DaemonSet's pod and a static one is cut for longer than others tolerate.

    Goal: what belongs to a node stays there, however long it is away.
    Method: cut the node until every other pod would have been told to end; heal.
    Expectation: both pods keep their uid and their containers; no node gets another one.
    """
    victim, bounds, fault = cluster.agents[1], bounds_of(cluster), "nic_down"
    static = start_static_pod("static", victim)
    back_s = bounds.ready_again_s
    with chaos.load(daemon.service, via=cluster.any_node_except(victim), rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NicDown(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            load.run_for(seconds=bounds.evicted_s - bounds.not_ready_s)
        daemon.daemon_set.wait_ready(timeout_s=back_s)
        static.mirror.wait_ready(timeout_s=back_s)
        load.run_for(seconds=8)
    pods = (daemon, static.mirror)
    chaos.check(
        *(same_pods_come_back(back_s, p, victim, fault=fault) for p in pods),
        *(not_evicted(p, victim, fault=fault, at_least_s=bounds.stays_s) for p in pods),
        one_per_node(daemon),
        service_recovers_within(back_s, after=fault),
        failures_attributed(),
    )
