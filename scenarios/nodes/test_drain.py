"""Nodes that are emptied, closed and tainted by those who run the cluster."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import NodeCordoned, NodeDrained, NodeKilled, NodeOutOfService, NodeTainted
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    disruption_budget_respected,
    evicted_between,
    evictions_wait,
    failures_attributed,
    moves_off_within,
    no_request_lost,
    not_evicted,
    nothing_bound,
    one_process_per_identity,
    only_members_touched,
    same_pods_come_back,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.specimen import KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

StartPod = Callable[..., Pod]
StartWeb = Callable[..., Web]


@pytest.mark.row("N7")
@pytest.mark.alone
@pytest.mark.long
def test_a_drain_keeps_to_the_disruption_budget(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb
) -> None:
    """A node with two of six pods is drained; the budget lets one be missing at a time.

    Goal: emptying a node is nothing that users notice.
    Method: pods that need 4 s to be Ready, a budget of one; drain a node under load, then ask for
    two more pods while it is closed.
    Expectation: never more than one is missing by eviction, so the second one has to wait for the
    first one's replacement; no request is lost; nothing new is bound to the node.
    """
    slow = SpecimenPod(settings={"SPECIMEN_STARTUP_S": "4"})
    web = start_web(replicas=6, pod=slow)
    cluster.kube.apply(specimen_manifests.budget(web.ref.namespace or "", web.name))
    nodes = [pod.node_name for pod in web.deployment.pods()]
    victim = max(cluster.agents, key=lambda node: nodes.count(node.name))
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NodeDrained(victim.name)):
            web.deployment.wait_ready(timeout_s=60)
            load.run_for(seconds=1)
            web.deployment.scale(8)
            web.deployment.wait_ready(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        disruption_budget_respected(web.name),
        evictions_wait(web.name, at_least_s=3),
        nothing_bound(victim, fault="node_drained"),
        no_request_lost(),
        failures_attributed(),
    )


@pytest.mark.row("N7")
@pytest.mark.alone
@pytest.mark.long
def test_a_cordoned_node_keeps_what_it_has(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A node is cordoned while a Deployment is scaled up.

    Goal: a cordon is about pods to come, not about those that are there.
    Method: cordon the node of a pod under load, scale from three to six, uncordon.
    Expectation: none of the new pods is bound to it; the pods that are there stay, not restarted;
    no request is lost.
    """
    victim = next(n for n in map(cluster.node_of, web.deployment.pods()) if n in cluster.agents)
    fault = "node_cordoned"
    with chaos.load(web.service, via=cluster.servers[0], rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NodeCordoned(victim.name)):
            load.run_for(seconds=1.5)
            web.deployment.scale(6)
            web.deployment.wait_ready(timeout_s=60)
            load.run_for(seconds=2)
        load.run_for(seconds=2)
    chaos.check(
        nothing_bound(victim, fault=fault),
        not_evicted(web, victim, fault=fault, at_least_s=3),
        same_pods_come_back(1, web, victim, fault=fault),
        no_request_lost(),
    )


TAINT = "chaoskit.test/leave"
#: How long one pod tolerates the taint, and by how much Kubernetes may be off.
PATIENCE_S, SLACK_S = 8, 2


@pytest.mark.row("N7")
@pytest.mark.alone
@pytest.mark.long
def test_a_taint_lets_each_pod_stay_as_long_as_it_tolerates(
    cluster: K3sCluster, chaos: Run, web: Web, start_pod: StartPod
) -> None:
    """A node gets a NoExecute taint that pods tolerate not, for 8 s, and for ever.

    Goal: a toleration says how long, and is taken at its word.
    Method: three pods of the node, one of each; taint it for 14 s under load on a Deployment.
    Expectation: the one without goes within 2 s, the one with 8 s after 8 ± 2 s, the last one
    stays; of the Deployment no request is lost, as its pod drains.
    """
    victim, fault = cluster.agents[1], "node_tainted"
    tolerant = {"key": TAINT, "operator": "Exists", "effect": "NoExecute"}
    patient = {**tolerant, "tolerationSeconds": PATIENCE_S}
    none, some, ever = (
        start_pod(name, victim, pre_stop_s=0, drain_s=0, pod_spec={"tolerations": tolerations})
        for name, tolerations in (("none", []), ("some", [patient]), ("ever", [tolerant]))
    )
    with chaos.load(web.service, via=cluster.servers[0], rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NodeTainted(victim.name, key=TAINT, effect="NoExecute")):
            load.run_for(seconds=PATIENCE_S + 3 * SLACK_S)
        load.run_for(seconds=2)
    latest_s = PATIENCE_S + SLACK_S
    chaos.check(
        evicted_between(none, victim, 0, SLACK_S, fault=fault),
        evicted_between(some, victim, PATIENCE_S - SLACK_S, latest_s, fault=fault),
        not_evicted(ever, victim, fault=fault, at_least_s=latest_s),
        evicted_between(web, victim, 0, SLACK_S, fault=fault),
        no_request_lost(),
    )


@pytest.mark.row("N7")
@pytest.mark.alone
@pytest.mark.long
def test_members_of_a_node_that_is_out_of_service_start_elsewhere(
    cluster: K3sCluster, chaos: Run, kv: KeyValue
) -> None:
    """A node is off, and somebody who knows that says so by the out-of-service taint.

    Goal: a member comes back elsewhere though its node never will, and nobody deletes it by force.
    Method: turn off the node of a member, taint it once it is NotReady, wait until the member runs
    elsewhere, take the taint away, turn the node on.
    Expectation: the member is released by the garbage collector, so within its period of 20 s, and
    starts on another node; never two processes; no acknowledged write is lost.
    """
    member, bounds, fault = kv.pod_on(cluster.agents), bounds_of(cluster), "node_killed"
    victim, uid = cluster.node_of(member), member.read()["metadata"]["uid"]
    other = cluster.any_node_except(victim)
    there = [ordinal for ordinal in range(3) if cluster.node_of(kv.pod(ordinal)) == victim]
    with chaos.load(kv, via=other, rate_per_s=80) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(NodeKilled(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            with chaos.inject(NodeOutOfService(victim.name), effective_within_s=15):
                member.wait_gone(timeout_s=bounds.released_s, uid=uid)
                kv.stateful_set.wait_ready(timeout_s=60)
                load.run_for(seconds=3)
        victim.wait_ready(timeout_s=bounds.ready_again_s)
        load.run_for(seconds=8)
    chaos.read_store(kv, via=other)
    released_s = bounds.not_ready_s + bounds.released_s
    chaos.check(
        moves_off_within(released_s, kv, victim, fault=fault),
        only_members_touched(kv, there),
        one_process_per_identity(kv),
        acknowledged_writes_survive(kv),
        failures_attributed(),
    )
