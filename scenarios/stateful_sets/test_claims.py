"""What becomes of a StatefulSet's claims and volumes."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    claims_stay,
    members_do_not_wait,
    ordinals_in_order,
    volumes_follow_claims,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen import KeyValue

StartKv = Callable[..., KeyValue]


@pytest.mark.row("S5")
def test_data_outlives_members_and_their_set(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """Scaled down, scaled to nothing, deleted and made anew, a store still has its data.

    Goal: neither scaling nor deleting a set takes anybody's data.
    Method: write, scale from three to one and to none, delete the set, create it again.
    Expectation: members go in reverse order; claims and volumes stay throughout; the new members
    hold all that the old ones acknowledged.
    """
    kv = start_kv(replicas=3)
    manifest = specimen_manifests.kv(chaos.setup.namespace, "kv")[-1]
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
    for replicas in (1, 0):
        kv.stateful_set.scale(replicas)
        kv.stateful_set.wait_ready(timeout_s=60)
    kv.stateful_set.delete()
    kv.stateful_set.wait_gone(timeout_s=30)
    kv.stateful_set.apply(manifest)
    kv.stateful_set.wait_complete(timeout_s=60)
    chaos.read_store(kv, via=cluster.servers[0])
    chaos.check(
        ordinals_in_order(kv),
        claims_stay(kv),
        volumes_follow_claims(kv),
        acknowledged_writes_survive(kv),
    )


@pytest.mark.row("S5")
def test_a_deleted_set_leaves_its_claims_to_be_cleaned_up(chaos: Run, start_kv: StartKv) -> None:
    """A set that is deleted leaves in no order, and leaves its claims behind.

    Goal: know what deleting a set does not do.
    Method: delete a set of three without scaling it down first, then delete its claims by hand.
    Expectation: its members end together, so whoever needs the order scales to none first; the
    claims stay until they are deleted, and then their volumes go, as the class reclaims them.
    """
    kv = start_kv(replicas=3)
    kv.stateful_set.delete()
    kv.stateful_set.wait_gone(timeout_s=30)
    kv.stateful_set.wait_claims(3, timeout_s=5)
    kv.stateful_set.delete_claims()
    kv.stateful_set.wait_claims(0, timeout_s=30)
    kv.stateful_set.wait_volumes(0, timeout_s=60)
    chaos.check(
        members_do_not_wait(kv, at="deletion of the set"),
        claims_stay(kv),
        volumes_follow_claims(kv),
    )


@pytest.mark.parametrize("when_scaled, when_deleted", [("Delete", "Retain"), ("Retain", "Delete")])
@pytest.mark.row("S13")
def test_claims_go_exactly_where_that_is_asked(
    chaos: Run, start_kv: StartKv, when_scaled: str, when_deleted: str
) -> None:
    """Claims are deleted when scaling down or with the set, exactly as the set's policy says.

    Goal: a retention policy deletes what it names and nothing else.
    Method: delete on scaling alone, or with the set alone; scale from two to one, delete the set.
    Expectation: with the first, the claim of the member scaled away goes and the other stays; with
    the second, both stay when scaling and go with the set. Volumes follow their claims.
    """
    retention = {"whenScaled": when_scaled, "whenDeleted": when_deleted}
    kv = start_kv(replicas=2, retention=retention, pod_management="Parallel")
    kv.stateful_set.scale(1)
    kv.stateful_set.wait_ready(timeout_s=30)
    kv.stateful_set.wait_claims(1 if when_scaled == "Delete" else 2, timeout_s=30)
    kv.stateful_set.delete()
    kv.stateful_set.wait_gone(timeout_s=30)
    left = 0 if when_deleted == "Delete" else 1
    kv.stateful_set.wait_claims(left, timeout_s=30)
    kv.stateful_set.wait_volumes(left, timeout_s=60)
    chaos.check(claims_stay(kv, deleted_within_s=30), volumes_follow_claims(kv))
