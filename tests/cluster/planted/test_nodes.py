"""Rows of the family nodes with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows. A node's absence is dear, so that one cut serves
for all that can go wrong during it.
"""

import copy
from typing import Any

import pytest

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.node_loss import bounds_of
from chaoskit.faults import (
    ComponentStopped,
    ContainerSignalled,
    NicDown,
    NodeCordoned,
    NodeDrained,
    NodeTainted,
)
from chaoskit.guarantees import (
    degradation,
    duplicate_ends_within,
    evicted_between,
    evictions_wait,
    made_at_once,
    moves_off_within,
    name_stays_taken,
    never_made_again,
    no_surplus_after,
    not_evicted,
    nothing_bound,
    nothing_starts,
    one_per_node,
    one_process_per_identity,
    requests_lost,
    same_pods_come_back,
    steps_fail,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.kube.kinds import Object
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.specimen import Daemon
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.planting import Planting

pytestmark = [pytest.mark.long, pytest.mark.alone]

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)
TAINT = "chaoskit.test/leave"


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


def bare(planting: Planting, name: str, node: ContainerNode, **parameters: Any) -> Pod:
    """A pod that belongs to no controller, ready on that node."""
    shape = SpecimenPod(pre_stop_s=0, drain_s=0, **parameters)
    manifest = specimen_manifests.bare(planting.namespace.name, name, node=node.name, pod=shape)
    pod = Pod.of(planting.cluster.kube, planting.cluster.kube.create(manifest), planting.run.steps)
    pod.wait_ready(timeout_s=30)
    return pod


def daemon(planting: Planting) -> Daemon:
    """One pod on each node."""
    manifests = specimen_manifests.daemon(planting.namespace.name, "daemon", pod=QUICK)
    started = specimen.start_daemon(planting.cluster.kube, manifests, steps=planting.run.steps)
    started.daemon_set.wait_ready(timeout_s=60)
    return started


def second_on(node: ContainerNode, of: Object) -> Object:
    """Another pod that says it is of the same controller, on that node."""
    metadata = {key: of["metadata"][key] for key in ("namespace", "labels", "ownerReferences")}
    spec = copy.deepcopy(of["spec"]) | {"nodeName": node.name, "affinity": None}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "second", **metadata},
        "spec": spec,
    }


@pytest.mark.row("N2", "N3", "N4", "N5", "N14")
def test_a_node_that_is_away_while_all_goes_wrong(planting: Planting) -> None:
    """A node away while somebody deletes and makes pods that should be left alone."""
    web, kv, daemons = planting.web(pod=QUICK), planting.kv(replicas=3), daemon(planting)
    cluster, kube, bounds = planting.cluster, planting.cluster.kube, bounds_of(planting.cluster)
    member = kv.pod_on(cluster.agents)
    victim = cluster.node_of(member)
    other = cluster.any_node_except(victim)
    unreachable = {"key": "node.kubernetes.io/unreachable", "operator": "Exists"}
    hasty = unreachable | {"effect": "NoExecute", "tolerationSeconds": 1}
    early = bare(planting, "early", victim, pod_spec={"tolerations": [hasty]})
    again = bare(planting, "again", other)
    evicted = next(p for p in web.deployment.pods() if cluster.node_of(p) == victim)
    mine = next(p for p in daemons.daemon_set.pods() if cluster.node_of(p) == victim)
    with planting.load(web.service, via=other, rate_per_s=60) as load:
        with planting.run.asking_on_node(member), planting.run.inject(NicDown(victim.name)):
            victim.wait_not_ready(timeout_s=90)
            mine.delete(force=True)
            member.delete(force=True)
            again.delete(force=True)
            again.wait_gone(timeout_s=30)
            bare(planting, "again", other)
            kube.create(second_on(other, mine_elsewhere(daemons, other)))
            member.wait_ready(timeout_s=60)
            evicted.wait_terminating(timeout_s=bounds.evicted_s)
        victim.wait_ready(timeout_s=bounds.ready_again_s)
        load.run_for(seconds=20)
    fault = "nic_down"
    verdicts = planting.expect(
        True,
        degradation(0.95, 2, during=fault, connection="new"),
        duplicate_ends_within(0.01, kv, fault=fault),
        evicted_between(early, victim, bounds.stays_s, bounds.evicted_s, fault=fault),
        moves_off_within(5, web, victim, fault=fault),
        name_stays_taken(kv, victim, fault=fault),
        never_made_again(again),
        no_surplus_after(1, web, fault=fault),
        not_evicted(web, victim, fault=fault, at_least_s=bounds.stays_s),
        one_per_node(daemons),
        one_process_per_identity(kv),
        same_pods_come_back(bounds.ready_again_s, daemons, victim, fault=fault),
    )
    told = said(verdicts["duplicate_ends_within"])
    assert f"the old process of {member.name} still lives" in told
    assert "early was told to end already after" in said(verdicts["evicted_between"])
    assert f"{member.name} went before the heal" in said(verdicts["name_stays_taken"])
    assert "another again came" in said(verdicts["never_made_again"])
    assert "web has 4 pods where it wants 3" in said(verdicts["no_surplus_after"])
    assert "pods of daemon" in said(verdicts["one_per_node"])
    assert f"{mine.name} ({mine.uid}) was told to end" in said(verdicts["same_pods_come_back"])


def mine_elsewhere(daemons: Daemon, node: ContainerNode) -> Object:
    """The DaemonSet's pod on that node."""
    return next(p.read() for p in daemons.daemon_set.pods() if p.node_name == node.name)


@pytest.mark.row("N6")
def test_a_service_of_a_node_that_was_not_the_one(planting: Planting) -> None:
    """kube-proxy stopped where kubelet and containerd were meant, and no pod deleted."""
    web = planting.web(replicas=2, pod=QUICK)
    cluster = planting.cluster
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim, fault = cluster.node_of(pod), "component_stopped"
    with planting.load(web.service, connections=("new",), rate_per_s=60) as load:
        pod.execute(["/specimen", "exit", "0"], timeout_s=10)
        with planting.run.inject(ComponentStopped(victim.name, "kube-proxy")):
            pod.execute(["/specimen", "exit", "0"], timeout_s=10)
            with planting.run.phase("stale"):
                load.run_for(seconds=3)
            with planting.run.inject(ContainerSignalled.of(pod)):
                pass  # its heal waits until it runs again
    verdicts = planting.expect(
        True,
        nothing_starts(victim, fault=fault),
        steps_fail("exec", pod, fault=fault),
        requests_lost(40, 80, phase="stale"),
    )
    assert f"a container of {pod.name} started" in said(verdicts["nothing_starts"])
    assert f"exec of {pod.name} was done during component_stopped" in said(verdicts["steps_fail"])
    assert "0 requests lost, where at least 40 must be" in said(verdicts["requests_lost"])


@pytest.mark.row("N7")
def test_a_budget_that_lets_everybody_go(planting: Planting) -> None:
    """A disruption budget so wide that no eviction has to wait."""
    web = planting.web(replicas=6, pod=QUICK)
    wide = specimen_manifests.budget(planting.namespace.name, web.name, max_unavailable=6)
    planting.cluster.kube.apply(wide)
    nodes = [pod.node_name for pod in web.deployment.pods()]
    victim = max(planting.cluster.agents, key=lambda node: nodes.count(node.name))
    with planting.run.inject(NodeDrained(victim.name)):
        web.deployment.wait_ready(timeout_s=60)
    verdicts = planting.expect(True, evictions_wait(web.name, at_least_s=3))
    assert "no eviction waited longer than" in said(verdicts["evictions_wait"])


@pytest.mark.row("N7")
def test_a_pod_that_is_put_on_a_cordoned_node(planting: Planting) -> None:
    """A pod bound to a cordoned node past the scheduler, while others go elsewhere."""
    web, victim = planting.web(replicas=1, pod=QUICK), planting.cluster.agents[0]
    manifest = specimen_manifests.bare(planting.namespace.name, "forced", pod=QUICK)
    manifest["spec"]["nodeName"] = victim.name
    cordoned = NodeCordoned(victim.name)
    with planting.load(web.service, rate_per_s=20) as load, planting.run.inject(cordoned):
        load.run_for(seconds=1.5)
        web.deployment.scale(3)
        planting.cluster.kube.create(manifest)
        web.deployment.wait_ready(timeout_s=60)
    verdicts = planting.expect(True, nothing_bound(victim, fault="node_cordoned"))
    assert said(verdicts["nothing_bound"]) == f"forced was bound to {victim.name}"


@pytest.mark.row("N7")
def test_a_toleration_that_is_shorter_than_meant(planting: Planting) -> None:
    """Pods that tolerate a taint for 2 s where 8 s were meant, and for 2 s where for ever."""
    web, victim, fault = planting.web(pod=QUICK), planting.cluster.agents[0], "node_tainted"
    short = {"key": TAINT, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
    some = bare(planting, "some", victim, pod_spec={"tolerations": [short]})
    ever = bare(planting, "ever", victim, pod_spec={"tolerations": [short]})
    tainted = NodeTainted(victim.name, key=TAINT, effect="NoExecute")
    with planting.load(web.service, rate_per_s=20) as load, planting.run.inject(tainted):
        load.run_for(seconds=5)
    verdicts = planting.expect(
        True,
        evicted_between(some, victim, 6, 10, fault=fault),
        not_evicted(ever, victim, fault=fault, at_least_s=3),
    )
    assert "some was told to end already after" in said(verdicts["evicted_between"])
    assert "ever was told to end after" in said(verdicts["not_evicted"])


@pytest.mark.row("N1")
def test_a_set_that_waits_where_it_was_not_to(planting: Planting) -> None:
    """A set of the policy OrderedReady where Parallel was meant."""
    kv, web = planting.kv(storage_class=None, pod=QUICK), planting.web(replicas=1, pod=QUICK)
    kv.member(0).set_ready(False)
    kv.pod(0).wait_not_ready(timeout_s=15)
    with planting.load(web.service, rate_per_s=20) as load:
        kv.stateful_set.scale(2)
        load.run_for(seconds=5)
    verdicts = planting.expect(True, made_at_once(kv, 1))
    assert "kv-1 was not made in" in said(verdicts["made_at_once"])
