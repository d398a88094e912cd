"""The order in which StatefulSet members come and go."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    failures_attributed,
    members_do_not_wait,
    no_request_lost,
    one_process_per_identity,
    only_members_touched,
    ordinals_in_order,
    stable_identity,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod

StartKv = Callable[..., KeyValue]


@pytest.mark.row("S1")
def test_members_start_one_after_the_other(chaos: Run, start_kv: StartKv) -> None:
    """Three members start as 0, 1, 2, each when the one before is ready.

    Goal: a member can rely on those below it.
    Method: record from before the set exists, then create it with three members.
    Expectation: each is made only when all below it are Ready, as the watch saw it, and bears
    its ordinal's name.
    """
    kv = start_kv(replicas=3)
    chaos.check(ordinals_in_order(kv), stable_identity(kv), only_members_touched(kv, []))


@pytest.mark.row("S4")
def test_scaling_goes_up_in_order_and_down_in_reverse(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """Scaled from two to five and back under load, in order and in reverse.

    Goal: scaling disturbs nobody who stays.
    Method: scale a store of two to five members and back to two, while clients read and write.
    Expectation: up in order, down in reverse, one at a time; the first two keep their pods; no
    request on a new connection is lost, and no acknowledged write.
    """
    kv = start_kv(replicas=2, pod=SpecimenPod())
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.scale(5)
        kv.stateful_set.wait_ready(timeout_s=60)
        kv.stateful_set.scale(2)
        kv.stateful_set.wait_ready(timeout_s=60)
        load.run_for(seconds=2)
    chaos.read_store(kv, via=cluster.servers[0])
    chaos.check(
        ordinals_in_order(kv),
        only_members_touched(kv, [2, 3, 4]),
        no_request_lost(connection="new"),
        acknowledged_writes_survive(kv),
        failures_attributed(),
    )


@pytest.mark.row("S6")
def test_parallel_members_do_not_wait_for_one_another(chaos: Run, start_kv: StartKv) -> None:
    """Under the policy Parallel members come and go at once, each still one of its kind.

    Goal: giving up the order gives up nothing else.
    Method: create a Parallel set of three, scale it to one and back to three.
    Expectation: members are made before those below them are Ready, and taken before those above
    them are gone; each keeps its identity, and never has two processes.
    """
    kv = start_kv(replicas=3, pod_management="Parallel")
    kv.stateful_set.scale(1)
    kv.stateful_set.wait_ready(timeout_s=60)
    kv.stateful_set.scale(3)
    kv.stateful_set.wait_ready(timeout_s=60)
    chaos.check(
        members_do_not_wait(kv, at="start"),
        members_do_not_wait(kv, at="scaling down"),
        only_members_touched(kv, [1, 2]),
        stable_identity(kv),
        one_process_per_identity(kv),
    )
