"""Several nodes are lost at once: Kubernetes then gives their pods up, or holds on to them."""

from collections.abc import Callable

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    evictions_stop,
    no_container_restarted,
    node_not_ready_within,
    outage,
    pods_evicted_within,
    recovers_within,
    sampler_agrees,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, one_a_node

pytestmark = pytest.mark.long

#: One pod a node, so that each lost node has one to be given up.
ONE_A_NODE = SpecimenPod(pod_spec=one_a_node("web"))


@pytest.mark.row("N11")
@pytest.mark.alone
@pytest.mark.nodes("1+3")
def test_evictions_stop_when_three_of_four_nodes_are_lost(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Three of four nodes are lost at once, as by a switch that fails.

    Goal: where most nodes seem lost, the fault is more likely in between than in all of them.
    Method: cut all agents for longer than their pods would be tolerated, then heal them.
    Expectation: each is NotReady in time, but from the third on no further node is tainted and no
    further pod is told to end; the pods are Ready again in time, and no container is restarted.
    """
    web = start_web(replicas=4, pod=ONE_A_NODE)
    bounds = bounds_of(cluster)
    grace_s, back_s = bounds.not_ready_s, bounds.ready_again_s
    held_s = profiles.given_up_within_s(cluster.profile)
    cuts = [NicDown(node.name) for node in cluster.agents]
    with chaos.load(web.service, via=cluster.servers, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(*cuts):
            for node in cluster.agents:
                node.wait_not_ready(timeout_s=90)
            load.run_for(seconds=held_s + 1)
        for node in cluster.agents:
            node.wait_ready(timeout_s=back_s)
        web.deployment.wait_ready(timeout_s=bounds.settled_s)
        load.run_for(seconds=5)
    chaos.check(
        *(node_not_ready_within(node, at_most_s=grace_s) for node in cluster.agents),
        evictions_stop(web, cluster.agents, at_least_s=held_s),
        outage(grace_s, during="nic_down"),
        # One node may have been given up before the third was lost: its pod is replaced.
        recovers_within(bounds.settled_s, web),
        no_container_restarted(web),
        sampler_agrees(),
    )


@pytest.mark.row("N11")
@pytest.mark.alone
@pytest.mark.nodes("1+2")
def test_two_of_three_nodes_lost_are_given_up(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Two of three nodes are lost at once: too few for Kubernetes to hold on to them.

    Goal: the rule that stops evictions needs three lost nodes, however small the cluster.
    Method: cut both agents until their pods are told to end, then heal them.
    Expectation: the pods of both are told to end when their toleration ends, the second node's up
    to 10 s later; what the Service loses ends with the grace; all is Ready again after the heal.
    """
    web = start_web(replicas=3, pod=ONE_A_NODE)
    bounds = bounds_of(cluster)
    after_s, within_s = bounds.stays_s, bounds.evicted_s
    grace_s, back_s = bounds.not_ready_s, bounds.ready_again_s
    cuts = [NicDown(node.name) for node in cluster.agents]
    with chaos.load(web.service, via=cluster.servers, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(*cuts):
            load.run_for(seconds=within_s + 2)
        for node in cluster.agents:
            node.wait_ready(timeout_s=back_s)
        web.deployment.wait_ready(timeout_s=bounds.settled_s)
        load.run_for(seconds=5)
    chaos.check(
        *(node_not_ready_within(node, at_most_s=grace_s) for node in cluster.agents),
        pods_evicted_within(web, cluster.agents, not_before_s=after_s, at_most_s=within_s),
        outage(grace_s, during="nic_down"),
        recovers_within(bounds.settled_s, web),
        no_container_restarted(web),
        sampler_agrees(),
    )
