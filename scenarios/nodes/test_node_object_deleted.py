"""A node that is cut off, and whose object is deleted."""

from contextlib import ExitStack

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import NicDown, NodeDeleted
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    failures_attributed,
    forced_deletion_overlap,
    one_process_per_identity,
    pods_evicted_within,
    recovers_within,
    sampler_agrees,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue

pytestmark = pytest.mark.long

#: No earlier does the garbage collector take what was on a node that is gone.
EARLIEST_S = profiles.garbage_collected_after_s()


@pytest.mark.row("N12")
@pytest.mark.alone
def test_a_member_of_a_deleted_node_is_released(
    cluster: K3sCluster, chaos: Run, kv: KeyValue
) -> None:
    """A cut node's object is deleted, with a StatefulSet member on it.

    Goal: who deletes a node's object releases its members by force, without saying so.
    Method: cut the node, delete its object, wait until the member runs elsewhere; link up, then
    the object made anew and the kubelet restarted.
    Expectation: the member is released by garbage collection, 40 s after the deletion and its two
    periods at the latest, and starts elsewhere, while the old process runs on until the node is
    back; then exactly one. No acknowledged write is lost.
    """
    member = kv.pod_on(cluster.agents)
    victim = cluster.node_of(member)
    entry, uid = cluster.any_node_except(victim), member.read()["metadata"]["uid"]
    collected_s = profiles.garbage_collected_within_s()
    with chaos.load(kv, via=entry, rate_per_s=100) as load, ExitStack() as cut:
        load.wait_steady(timeout_s=30)
        cut.enter_context(chaos.inject(NicDown(victim.name)))
        with chaos.inject(NodeDeleted(victim.name)):
            member.wait_gone(timeout_s=collected_s + 10, uid=uid)
            member.wait_ready(timeout_s=60)
            load.run_for(seconds=5)
            cut.close()
        victim.wait_ready(timeout_s=120)
        load.run_for(seconds=20)
    chaos.read_store(kv, via=entry)
    overlap = forced_deletion_overlap(until="healed", plus_s=45)
    chaos.check(
        pods_evicted_within(
            kv, [victim], not_before_s=EARLIEST_S, at_most_s=collected_s, fault="node_deleted"
        ),
        one_process_per_identity(kv, allowing=overlap),
        acknowledged_writes_survive(kv, allowing=overlap),
        recovers_within(60, kv),
        failures_attributed(),
        sampler_agrees(),
    )
