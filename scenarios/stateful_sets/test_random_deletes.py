"""StatefulSet members deleted at random."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    failures_attributed,
    forced_deletion_overlap,
    load_was_enough,
    one_process_per_identity,
    recovers_within,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue

DELETIONS = 8


@pytest.mark.demo
@pytest.mark.row("S10")
def test_random_deletes_keep_identity_and_writes(
    cluster: K3sCluster, chaos: Run, kv: KeyValue
) -> None:
    """Members deleted and force-deleted at random keep their identity and their data.

    Goal: no two processes for one identity, and no acknowledged write lost.
    Method: eight deletions under load, each of a member and by a way drawn from the seed.
    Expectation: never two processes at once, except for grace and 2 s after a forced deletion on
    a healthy node; every acknowledged write is there at the end; sequences never go back.
    """
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=150) as load:
        load.wait_steady(timeout_s=30)
        for _ in range(DELETIONS):
            member = kv.pod(chaos.random.randrange(3))
            uid = member.delete(force=chaos.random.random() < 0.5)
            load.run_for(seconds=chaos.random.uniform(0.5, 3))
            member.wait_gone(timeout_s=60, uid=uid)
            member.wait_ready(timeout_s=90)
        load.run_for(seconds=3)
    chaos.read_store(kv, via=cluster.servers[0])
    overlap = forced_deletion_overlap()
    chaos.check(
        one_process_per_identity(kv, allowing=overlap),
        acknowledged_writes_survive(kv, allowing=overlap),
        recovers_within(90, kv, kind="StatefulSet", after="delete"),
        failures_attributed(),
        load_was_enough(lag_at_most_s=0.25),  # what is claimed here is not about moments
    )
