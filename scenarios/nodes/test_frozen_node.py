"""Nodes that hang and go on."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NodePaused
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    duplicate_ends_within,
    failures_attributed,
    forced_deletion_overlap,
    node_not_ready_within,
    one_process_per_identity,
    recovers_within,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue


@pytest.mark.row("N5")
@pytest.mark.alone
@pytest.mark.long
def test_a_thawed_node_ends_the_member_that_was_replaced(
    cluster: K3sCluster, chaos: Run, kv: KeyValue
) -> None:
    """A member's node freezes, the member is replaced by force, and the node goes on.

    Goal: a frozen process does no harm; once thawed it has a name that is not its own any more.
    Method: freeze the node of a member, delete the member by force, let it run elsewhere, thaw;
    ask the old process from its own node all the time.
    Expectation: nobody hears the old process while it is frozen; thawed it runs beside the new one
    until its kubelet ends it, within the time to reach the API, its grace and 2 s; then exactly
    one is left. No acknowledged write is lost.
    """
    member, bounds, fault = kv.pod_on(cluster.agents), bounds_of(cluster), "node_paused"
    victim = cluster.node_of(member)
    other = cluster.any_node_except(victim)
    with (
        chaos.load(kv, via=other, rate_per_s=80) as load,
        chaos.asking_on_node(member),
    ):
        load.wait_steady(timeout_s=30)
        with chaos.inject(NodePaused(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            member.delete(force=True)
            member.wait_ready(timeout_s=60)
            load.run_for(seconds=5)
        victim.wait_ready(timeout_s=bounds.ready_again_s)
        load.run_for(seconds=15)
    chaos.read_store(kv, via=other)
    overlap = forced_deletion_overlap(until="healed", plus_s=bounds.stray_s)
    chaos.check(
        node_not_ready_within(victim, bounds.not_ready_s, fault=fault),
        duplicate_ends_within(bounds.stray_s, kv, fault=fault),
        one_process_per_identity(kv, allowing=overlap),
        acknowledged_writes_survive(kv, allowing=overlap),
        recovers_within(bounds.settled_s, kv),
        failures_attributed(),
    )
