"""A node whose network comes and goes."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    failures_attributed,
    no_container_restarted,
    no_request_lost,
    nodes_stay_ready,
    outage,
    pods_stay,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web

pytestmark = pytest.mark.long

#: What a request takes to fail that was on its way when the link came up again: its deadline.
DEADLINE_S = 2


@pytest.mark.row("N13")
@pytest.mark.alone
def test_a_flapping_node_is_not_given_up(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A node's interface goes down for 5 s and comes back for 5 s, ten times.

    Goal: short absences cost what they last, and Kubernetes does not add to them.
    Method: let one agent's link flap while requests come in through the other.
    Expectation: the node is never marked NotReady, its pods stay and none is restarted; requests
    fail only while the link is down, and as long as their deadline after that.
    """
    victim, entry = cluster.agents
    with chaos.load(web.service, via=entry, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("flapping"):
            chaos.flap(NicDown(victim.name), down_s=5, up_s=5, times=10)
            load.run_for(seconds=5)
    chaos.check(
        nodes_stay_ready(through="nic_down"),
        no_request_lost(outside="nic_down", settle_s=DEADLINE_S),
        outage(5 + DEADLINE_S, during="nic_down"),
        pods_stay(web, {"v1": 3}, phase="flapping"),
        no_container_restarted(web),
        failures_attributed(settle_s=DEADLINE_S),
    )
