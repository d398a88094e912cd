"""What faults rely on in a node image: a node that was away is what it was before."""

import pytest

from chaoskit import clock
from chaoskit.cluster import profiles
from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import NicDown
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.test_contract import pod, wait_phase

pytestmark = pytest.mark.alone


def routes_of(node: ContainerNode) -> set[str]:
    """Its routes; "linkdown" only says that no pod is on that bridge just now."""
    said = node.execute(["ip", "-4", "route"], timeout_s=10).stdout
    return {row.replace(" linkdown", "").strip() for row in said.splitlines()}


def test_a_node_returns_after_its_network_was_down(cluster: K3sCluster) -> None:
    victim = cluster.nodes[-1]
    profile, version, routes = cluster.profile, cluster.version, routes_of(victim)
    bound_s = profiles.not_ready_within_s(profile, version)
    nic_down = NicDown(victim.name)
    cut_ns = clock.now_ns()
    nic_down.inject(cluster, heal_after_s=bound_s + 60)
    try:
        victim.wait_not_ready(timeout_s=bound_s)
        spent_s = (clock.now_ns() - cut_ns) / 1e9
    finally:
        nic_down.heal(cluster)
    victim.wait_ready(timeout_s=profiles.ready_again_within_s(profile))

    assert spent_s >= profiles.not_ready_after_s(profile, version)
    wait_until(
        lambda: routes_of(victim) == routes,
        what="the routes to be as before",
        timeout_s=15,
        seen=lambda: routes_of(victim),
    )


def test_a_killed_node_comes_back_with_its_name_address_and_agent(
    cluster: K3sCluster, namespace: Namespace
) -> None:
    victim = cluster.nodes[-1]
    before = victim.agent.call("hello")
    victim.kill()
    wait_until(
        lambda: victim.inspect()["State"]["Status"] == "exited",
        what="the node to end",
        timeout_s=10,
    )
    victim.start()
    after = victim.agent.wait_hello(timeout_s=30)
    victim.wait_ready(timeout_s=90)
    networks = victim.inspect()["NetworkSettings"]["Networks"]
    assert networks[cluster.name]["IPAddress"] == victim.address
    assert after["hostname"] == before["hostname"] == victim.name
    assert after["started_ns"] > before["started_ns"]
    later = pod("later", namespace.name, "sleep 60", nodeName=victim.name)
    cluster.kube.create(later)
    wait_phase(cluster.kube, "later", namespace.name, "Running")
