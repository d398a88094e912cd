"""Members that need time: to flush when they end, to catch up when they start."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    failing_at_once,
    failures_attributed,
    ordinals_in_order,
    termination_in_order,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod

StartKv = Callable[..., KeyValue]

FLUSH_S = 8
CATCH_UP_S = 3


@pytest.mark.row("S15")
def test_members_get_the_time_to_flush(cluster: K3sCluster, chaos: Run, start_kv: StartKv) -> None:
    """Members that write only when they are told to end get the time for it.

    Goal: the grace period is long enough for what a member has to do at its end.
    Method: write to a store whose members keep writes in memory and need 8 s to flush them at
    TERM, with a grace of 30 s; then roll it, while clients read.
    Expectation: every acknowledged write is there afterwards; each member ends in order, without
    KILL. (With a grace of 3 s writes are lost: the planted twin of this scenario.)
    """
    slow = {"SPECIMEN_DEFECTS": f"flush-at-term={FLUSH_S}"}
    kv = start_kv(replicas=2, pod=SpecimenPod(pre_stop_s=0, drain_s=0, settings=slow))
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=100) as writing:
        writing.wait_steady(timeout_s=30)
    with chaos.load(kv.service, via=cluster.servers[0], rate_per_s=50) as reading:
        reading.wait_steady(timeout_s=30)
        kv.stateful_set.restart()
        kv.stateful_set.wait_complete(timeout_s=90)
    chaos.read_store(kv, via=cluster.servers[0])
    chaos.check(
        acknowledged_writes_survive(kv),
        termination_in_order(kv),
        ordinals_in_order(kv),
        failures_attributed(),
    )


@pytest.mark.row("S15")
def test_members_get_the_time_to_catch_up(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """With minReadySeconds the next member waits until the one before has caught up.

    Goal: never two members behind at once.
    Method: roll a store whose members are Ready at once but fail for 3 s until they have caught
    up, with minReadySeconds 5, while clients read and write.
    Expectation: the next member is taken only when the one before was Available, and at no moment
    do two members fail. (Without minReadySeconds two do: the planted twin of this scenario.)
    """
    hasty = {"SPECIMEN_DEFECTS": "lie-ready", "SPECIMEN_STARTUP_S": f"{CATCH_UP_S}"}
    pod = SpecimenPod(pre_stop_s=0, drain_s=0, settings=hasty)
    kv = start_kv(replicas=2, min_ready_s=CATCH_UP_S + 2, pod=pod)
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=150) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.restart()
        kv.stateful_set.wait_complete(timeout_s=90)
        load.run_for(seconds=1)
    chaos.check(ordinals_in_order(kv), failing_at_once(1), failures_attributed())
