"""A Deployment whose node loses its network: how long users notice, and what becomes of it."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    availability,
    degradation,
    evicted_between,
    failures_attributed,
    moves_off_within,
    no_surplus_after,
    node_not_ready_within,
    sampler_agrees,
    traffic_split,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web

#: A load's own: how long it waits for a connection, and for an answer.
DEADLINE_S = 2.0


@pytest.mark.row("N3")
@pytest.mark.alone
@pytest.mark.long
def test_deployment_outlasts_node_nic_down(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A node with a pod of a Deployment loses its network for longer than the pod tolerates.

    Goal: users notice no longer than Kubernetes needs to see it; the pod is replaced, once.
    Method: cut the node under load, wait until all pods run elsewhere, heal, see who answers.
    Expectation: requests on new connections are lost until grace, monitor period, 2 s and their
    deadline are over, on kept ones no longer; the pod goes when its toleration ends; after the
    heal there is no pod too many, and each answers its share.
    """
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim, bounds, fault = cluster.node_of(pod), bounds_of(cluster), "nic_down"
    noticed_s = bounds.unnoticed_s(deadline_s=DEADLINE_S)
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=5)
        with chaos.inject(NicDown(victim.name)):
            pod.wait_terminating(timeout_s=bounds.evicted_s)
            web.deployment.wait_ready(timeout_s=30)
            load.run_for(seconds=2)
        victim.wait_ready(timeout_s=bounds.ready_again_s)
        pod.wait_gone(timeout_s=bounds.settled_s)
        shares = {each.name: 1 / 3 for each in web.deployment.pods()}
        with chaos.phase("after"):
            load.run_for(seconds=15)
    chaos.check(
        node_not_ready_within(victim, bounds.not_ready_s),
        degradation(0.95, noticed_s, during=fault, connection="new"),
        degradation(0.95, noticed_s, during=fault, connection="kept"),
        evicted_between(web, victim, bounds.stays_s, bounds.evicted_s, fault=fault),
        moves_off_within(bounds.moved_s, web, victim, fault=fault),
        no_surplus_after(bounds.settled_s, web, fault=fault),
        traffic_split(shares, by="pod", phase="after"),
        availability(0.998, outside=fault),
        failures_attributed(),
        sampler_agrees(),
    )
