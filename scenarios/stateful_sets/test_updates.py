"""Updates of a StatefulSet: how they go out, and what stops them."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    halted,
    members_run,
    no_request_lost,
    only_members_touched,
    only_versions,
    ordinals_in_order,
    recovers_within,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod, image
from chaoskit.workloads.versions import parallel_heals_by_reverting

StartKv = Callable[..., KeyValue]

NO_SUCH_IMAGE = image("no-such-tag")
#: Members that nobody misses when they end in good order.
DRAINING = SpecimenPod()


@pytest.mark.row("S7")
def test_a_partition_holds_an_update_back(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """A partition lets an update reach the members at or above it, and no other.

    Goal: try a version on one member for as long as one likes.
    Method: set an image behind partition 2, delete a member on either side, then end the partition.
    Expectation: only member 2 changes; deleted, it returns with the new version and member 0 with
    the old one; then 1 and 0 follow, in reverse order. Both versions answer, and no other.
    """
    kv = start_kv(storage_class=None)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("canary"):
            kv.stateful_set.set_update_strategy("RollingUpdate", partition=2)
            kv.stateful_set.set_image(image("v2"))
            kv.stateful_set.wait_complete(timeout_s=60)
            for ordinal in (0, 2):
                uid = kv.pod(ordinal).delete()
                kv.pod(ordinal).wait_gone(timeout_s=30, uid=uid)
                kv.pod(ordinal).wait_ready(timeout_s=30)
        kv.stateful_set.set_update_strategy("RollingUpdate", partition=0)
        kv.stateful_set.wait_complete(timeout_s=60)
    chaos.check(
        members_run(kv, {0: "v1", 1: "v1", 2: "v2"}, phase="canary"),
        only_members_touched(kv, [0, 2], phase="canary"),
        members_run(kv, {0: "v2", 1: "v2", 2: "v2"}),
        ordinals_in_order(kv),
        only_versions(["v1", "v2"]),
    )


@pytest.mark.row("S7")
def test_on_delete_an_update_waits_for_the_operator(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """Under OnDelete a member gets the update when it is deleted, and not before.

    Goal: the operator alone says who is updated when.
    Method: set an image under OnDelete, leave it for 5 s, delete member 1.
    Expectation: nobody changes by itself; member 1 returns with the new version, the others keep
    pod and version.
    """
    kv = start_kv(storage_class=None)
    kv.stateful_set.set_update_strategy("OnDelete")
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("left alone"):
            kv.stateful_set.set_image(image("v2"))
            load.run_for(seconds=5)
        uid = kv.pod(1).delete()
        kv.pod(1).wait_gone(timeout_s=30, uid=uid)
        kv.pod(1).wait_ready(timeout_s=30)
        load.run_for(seconds=1)
    chaos.check(
        halted(kv, phase="left alone", at_least_s=5),
        only_members_touched(kv, [1]),
        members_run(kv, {0: "v1", 1: "v2", 2: "v1"}),
        only_versions(["v1", "v2"]),
    )


@pytest.mark.row("S8")
def test_reverting_a_bad_image_alone_does_not_help(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """A bad image stops an ordered set, also after the old template is back.

    Goal: know the second step that a bad update of a StatefulSet needs.
    Method: set an image that no registry has, put the old template back, wait, then delete the
    broken pod.
    Expectation: only member 2 is taken; nothing moves while the image is bad, nor for 8 s after the
    old template is back; with the broken pod deleted all members are Ready within 30 s.
    """
    kv = start_kv(storage_class=None, pod=DRAINING)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.set_image(NO_SUCH_IMAGE)
        kv.pod(2).wait_reason("ErrImagePull", "ImagePullBackOff", timeout_s=60)
        with chaos.phase("stuck"):
            load.run_for(seconds=4)
        with chaos.phase("reverted"):
            kv.stateful_set.undo()
            load.run_for(seconds=8)
        kv.pod(2).delete()
        kv.stateful_set.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        halted(kv, phase="stuck", at_least_s=4),
        halted(kv, phase="reverted", at_least_s=8),
        recovers_within(30, kv, after="delete"),
        only_members_touched(kv, [2]),
        members_run(kv, {0: "v1", 1: "v1", 2: "v1"}),
        no_request_lost(connection="new"),
    )


@pytest.mark.row("S8")
def test_reverting_a_bad_image_helps_a_parallel_set(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """Under the policy Parallel the old template alone repairs a bad update.

    Goal: know what frees a set from a member that can never be ready.
    Method: set an image that no registry has on a Parallel set, then put the old template back.
    Expectation: only member 2 is taken, and all are Ready within 30 s of the revert, without a
    pod being deleted by hand. Kubernetes 1.35.0 to 1.35.3 does not do that (maxUnavailable is on
    there, and counts the broken member): there the pod has to be deleted, too.
    """
    kv = start_kv(storage_class=None, pod=DRAINING, pod_management="Parallel")
    heals = parallel_heals_by_reverting(cluster.version)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.set_image(NO_SUCH_IMAGE)
        kv.pod(2).wait_reason("ErrImagePull", "ImagePullBackOff", timeout_s=60)
        with chaos.phase("stuck"):
            load.run_for(seconds=4)
        kv.stateful_set.undo()
        if not heals:
            kv.pod(2).delete()
        kv.stateful_set.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        halted(kv, phase="stuck", at_least_s=4),
        recovers_within(30, kv, after="undo" if heals else "delete"),
        only_members_touched(kv, [2]),
        members_run(kv, {0: "v1", 1: "v1", 2: "v1"}),
        no_request_lost(connection="new"),
    )


@pytest.mark.row("S9")
def test_one_unready_member_halts_scaling_and_updating(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """While one member is unready nothing is scaled or updated, and nothing gets stuck for good.

    Goal: a set takes no second risk while one member is in trouble.
    Method: let member 1 be unready, scale to four and set an image, wait; delete member 0, let
    member 1 be ready again.
    Expectation: nothing moves for 6 s; member 0 comes back although 1 is unready; then all four
    members run the new version, made and updated in order.
    """
    kv = start_kv(storage_class=None)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        kv.member(1).set_ready(False)
        kv.pod(1).wait_not_ready(timeout_s=15)
        with chaos.phase("halted"):
            kv.stateful_set.scale(4)
            kv.stateful_set.set_image(image("v2"))
            load.run_for(seconds=6)
        uid = kv.pod(0).delete()
        kv.pod(0).wait_gone(timeout_s=30, uid=uid)
        kv.pod(0).wait_ready(timeout_s=30)
        kv.member(1).set_ready(True)
        kv.stateful_set.wait_complete(timeout_s=90)
    chaos.check(
        halted(kv, phase="halted", at_least_s=6),
        ordinals_in_order(kv),
        members_run(kv, dict.fromkeys(range(4), "v2")),
    )
