"""StatefulSets that are to grow while the node of a member is away."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    halted,
    made_at_once,
    one_process_per_identity,
    only_members_touched,
    ordinals_in_order,
    recovers_within,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod, one_a_node

#: So that nobody is told to end however long this takes.
FOR_EVER = [{"operator": "Exists", "effect": "NoExecute"}]
AWAY_S = 8


def staying(name: str) -> SpecimenPod:
    """Members that stay on their node whatever it lacks, each on a node of its own."""
    spec = {"tolerations": FOR_EVER, **one_a_node(name)}
    return SpecimenPod(pre_stop_s=0, drain_s=0, pod_spec=spec)


@pytest.mark.row("N1")
@pytest.mark.alone
@pytest.mark.long
def test_sets_are_scaled_while_a_node_is_away(
    cluster: K3sCluster, chaos: Run, start_kv: Callable[..., KeyValue]
) -> None:
    """Two StatefulSets are scaled from three to four while a member of each is on a cut node.

    Goal: know which policy waits for a member that nobody can reach.
    Method: an OrderedReady and a Parallel set, members for ever tolerant; cut a node with one of
    each, scale both once it is NotReady, wait 8 s, heal.
    Expectation: OrderedReady makes nothing until its member is Ready again, Parallel makes the
    fourth at once; after the heal both have four, and nobody else was touched.
    """
    ordered = start_kv("ordered", storage_class=None, pod=staying("ordered"))
    parallel = start_kv(
        "parallel", storage_class=None, pod=staying("parallel"), pod_management="Parallel"
    )
    victim = cluster.agents[0]
    members = [pod for kv in (ordered, parallel) for pod in kv.stateful_set.pods()]
    gone = [pod for pod in members if cluster.node_of(pod) == victim]
    with chaos.load(parallel.service, via=cluster.any_node_except(victim), rate_per_s=40) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NicDown(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            for pod in gone:
                pod.wait_not_ready(timeout_s=10)
            with chaos.phase("away"):
                ordered.stateful_set.scale(4)
                parallel.stateful_set.scale(4)
                load.run_for(seconds=AWAY_S)
        for kv in (ordered, parallel):
            kv.stateful_set.wait_ready(timeout_s=bounds_of(cluster).restarted_s)
        victim.wait_ready(timeout_s=bounds_of(cluster).ready_again_s)  # the next one's, too
    chaos.check(
        halted(ordered, phase="away", at_least_s=AWAY_S),
        ordinals_in_order(ordered),
        made_at_once(parallel, 3),
        *(only_members_touched(kv, []) for kv in (ordered, parallel)),
        *(one_process_per_identity(kv) for kv in (ordered, parallel)),
        *(recovers_within(bounds_of(cluster).restarted_s, kv) for kv in (ordered, parallel)),
    )
