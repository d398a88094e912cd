"""Nodes whose network interface goes down."""

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    availability,
    failures_attributed,
    forced_deletion_overlap,
    node_not_ready_within,
    one_process_per_identity,
    ordinary_delete_sticks,
    outage,
    recovers_within,
    sampler_agrees,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue


@pytest.mark.demo
@pytest.mark.everyday
@pytest.mark.row("N1")
@pytest.mark.alone
def test_statefulset_survives_node_nic_down(cluster: K3sCluster, chaos: Run, kv: KeyValue) -> None:
    """A StatefulSet member's node loses its network; the member moves only when forced.

    Goal: one process per identity, but for the window that a forced deletion opens.
    Method: cut the node of a member, delete the member, then force the deletion, then heal.
    Expectation: the ordinary delete sticks; the forced one frees the name at once and the member
    starts elsewhere, while the old process runs on unseen until the node is back; then exactly
    one. No acknowledged write is lost, and nobody notices outside the fault.
    """
    member = kv.pod_on(cluster.agents)
    victim = cluster.node_of(member)
    grace_s = profiles.not_ready_within_s(cluster.profile, cluster.version)
    with chaos.load(kv, via=cluster.any_node_except(victim), rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=8)
        with chaos.inject(NicDown(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            member.delete()
            load.run_for(seconds=5)
            member.delete(force=True)
            member.wait_ready(timeout_s=180)
            load.run_for(seconds=5)
        victim.wait_ready(timeout_s=120)
        load.run_for(seconds=20)
    chaos.read_store(kv, via=cluster.any_node_except(victim))
    overlap = forced_deletion_overlap(until="healed", plus_s=45)
    chaos.check(
        node_not_ready_within(victim, at_most_s=grace_s),
        ordinary_delete_sticks(member),
        one_process_per_identity(kv, allowing=overlap),
        acknowledged_writes_survive(kv, allowing=overlap),
        availability(at_least=0.999, outside="nic_down", operation="read"),
        outage(at_most_s=60, during="nic_down", operation="read"),
        recovers_within(60, kv, kind="StatefulSet"),
        failures_attributed(),
        sampler_agrees(),
    )
