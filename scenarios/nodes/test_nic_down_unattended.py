"""Nodes whose network interface goes down while nobody deletes anything."""

import math
from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NicDown
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    claims_stay,
    evicted_between,
    name_stays_taken,
    not_evicted,
    one_process_per_identity,
    only_members_touched,
    recovers_within,
    same_pods_come_back,
    service_recovers_within,
    stable_identity,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod

FAULT = "nic_down"


def tolerating(seconds: float | None) -> SpecimenPod:
    """A member that is taken from a lost node after so long, or (None) never."""
    limit = {} if seconds is None else {"tolerationSeconds": math.ceil(seconds)}
    lost = ("unreachable", "not-ready")
    taints = [{"key": f"node.kubernetes.io/{what}", "effect": "NoExecute"} for what in lost]
    return SpecimenPod(
        pod_spec={"tolerations": [{**taint, "operator": "Exists", **limit} for taint in taints]}
    )


@pytest.mark.row("N2")
@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize("for_ever", [False, True], ids=["healed-in-time", "tolerating-for-ever"])
def test_a_member_outlasts_the_absence_of_its_node(
    cluster: K3sCluster, chaos: Run, start_kv: Callable[..., KeyValue], for_ever: bool
) -> None:
    """A member's node loses its network, and has it again before its toleration ends.

    Goal: an absence that a member tolerates costs it nothing but the time.
    Method: cut the node of a member; heal it so long before its toleration ends as a node takes
    to be heard again, or, where the members tolerate for ever, when all others would have been
    told to end; nobody deletes anything.
    Expectation: the same pod with the same container answers again; nobody loses its pod.
    """
    bounds = bounds_of(cluster)
    away_s = bounds.tolerated_s / 2
    kv = start_kv(pod=tolerating(None if for_ever else away_s + bounds.ready_again_s))
    member = kv.pod_on(cluster.agents)
    victim = cluster.node_of(member)
    with chaos.load(kv, via=cluster.any_node_except(victim), rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NicDown(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            load.run_for(seconds=bounds.evicted_s - bounds.not_ready_s if for_ever else away_s)
        member.wait_ready(timeout_s=bounds.ready_again_s)
        load.run_for(seconds=8)
    chaos.read_store(kv, via=cluster.any_node_except(victim))
    least_s = bounds.stays_s if for_ever else away_s
    chaos.check(
        same_pods_come_back(bounds.ready_again_s, kv, victim, fault=FAULT),
        not_evicted(kv, victim, fault=FAULT, at_least_s=least_s),
        only_members_touched(kv, []),
        one_process_per_identity(kv),
        service_recovers_within(
            bounds.ready_again_s, after=FAULT, stream=f"writes to {member.name}"
        ),
        acknowledged_writes_survive(kv),
    )


@pytest.mark.row("N2")
@pytest.mark.alone
@pytest.mark.long
def test_a_member_has_no_twin_while_its_node_is_away(
    cluster: K3sCluster, chaos: Run, kv: KeyValue
) -> None:
    """A member's node loses its network for longer than the member tolerates.

    Goal: without a word from the node, nobody takes a member's place.
    Method: cut the node of a member, wait until the member is told to end, 10 s more, then heal;
    nobody deletes anything.
    Expectation: it is told to end when its toleration ends, stays Terminating until the heal and
    has no twin; then a new pod with the same name and claim takes its place.
    """
    member, bounds = kv.pod_on(cluster.agents), bounds_of(cluster)
    victim, uid = cluster.node_of(member), member.read()["metadata"]["uid"]
    there = [ordinal for ordinal in range(3) if cluster.node_of(kv.pod(ordinal)) == victim]
    with chaos.load(kv, via=cluster.any_node_except(victim), rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NicDown(victim.name)):
            member.wait_terminating(timeout_s=bounds.evicted_s)
            load.run_for(seconds=10)
        member.wait_gone(timeout_s=bounds.settled_s, uid=uid)
        kv.stateful_set.wait_ready(timeout_s=60)
        load.run_for(seconds=5)
    chaos.read_store(kv, via=cluster.any_node_except(victim))
    chaos.check(
        evicted_between(kv, victim, bounds.stays_s, bounds.evicted_s, fault=FAULT),
        name_stays_taken(kv, victim, fault=FAULT, at_least_s=9),
        one_process_per_identity(kv),
        only_members_touched(kv, there),
        stable_identity(kv),
        claims_stay(kv),
        recovers_within(bounds.settled_s, kv),
        acknowledged_writes_survive(kv),
    )
