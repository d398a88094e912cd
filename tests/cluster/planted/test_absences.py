"""Rows N8, N11, N12 and N13 with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows.
"""

from contextlib import ExitStack

import pytest

from chaoskit.cluster import profiles
from chaoskit.faults import CpuStressed, NicDown, NodeDeleted
from chaoskit.guarantees import (
    evictions_stop,
    nodes_stay_ready,
    one_process_per_identity,
    pods_evicted_within,
    rollout_frozen,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.kube.kinds import Object
from chaoskit.workloads.specimen_manifests import SpecimenPod, image, one_a_node
from tests.cluster.planting import Planting

pytestmark = [pytest.mark.long, pytest.mark.alone]


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


@pytest.mark.row("N8")
def test_a_rollout_that_goes_on(planting: Planting) -> None:
    """A fault that keeps no rollout from going on, taken for one that does."""
    run = planting.run
    web = planting.web(min_ready_s=2)
    web.deployment.set_image(image("v2"))
    web.deployment.wait_updated(1, timeout_s=30)
    with run.inject(CpuStressed(planting.cluster.agents[0].name, workers=1, share=0.1)):
        web.deployment.wait_complete(timeout_s=90)
    verdicts = planting.expect(True, rollout_frozen(web, fault="cpu_stressed"))
    assert "got a node" in said(verdicts["rollout_frozen"])


@pytest.mark.row("N11")
@pytest.mark.row("N13")
def test_lost_nodes_whose_pods_are_given_up_or_kept(planting: Planting) -> None:
    """Two of three nodes cut for longer than their grace; one workload tolerates that for long."""
    run, agents = planting.run, planting.cluster.agents
    profile, version = planting.cluster.profile, planting.cluster.version
    lasting: Object = {
        "key": "node.kubernetes.io/unreachable",
        "operator": "Exists",
        "effect": "NoExecute",
    }
    web = planting.web(replicas=3)
    spec: Object = {**one_a_node("kv"), "tolerations": [lasting]}
    kv = planting.kv(replicas=3, storage_class=None, pod=SpecimenPod(pod_spec=spec))
    within_s = profiles.evicted_within_s(profile, version)
    with planting.load(web.service, rate_per_s=30) as load:
        with run.inject(*(NicDown(node.name) for node in agents)):
            load.run_for(seconds=within_s + 2)
        for node in agents:
            node.wait_ready(timeout_s=profiles.ready_again_within_s(profile))
    verdicts = planting.expect(
        True,
        nodes_stay_ready(through="nic_down"),
        evictions_stop(web, agents, at_least_s=profiles.given_up_within_s(profile)),
        pods_evicted_within(kv, agents, not_before_s=1, at_most_s=within_s),
    )
    assert "Ready=Unknown" in said(verdicts["nodes_stay_ready"])
    assert "was still there after" in said(verdicts["pods_evicted_within"])
    told = said(verdicts["evictions_stop"])
    assert "was tainted" in told or "was told to end" in told


@pytest.mark.row("N12")
def test_a_member_that_runs_twice(planting: Planting) -> None:
    """A member of a cut node whose object was deleted, judged as if it could not run twice."""
    run, cluster = planting.run, planting.cluster
    kv = planting.kv(replicas=3, storage_class=None, pod_management="Parallel")
    member = kv.pod_on(cluster.agents)
    victim = cluster.node_of(member)
    there = [it.name for it in map(kv.pod, range(3)) if cluster.node_of(it).name == victim.name]
    uid = member.read()["metadata"]["uid"]
    with ExitStack() as cut:
        cut.enter_context(run.inject(NicDown(victim.name)))
        with run.inject(NodeDeleted(victim.name)):
            member.wait_gone(timeout_s=profiles.garbage_collected_within_s() + 10, uid=uid)
            member.wait_ready(timeout_s=60)
            cut.close()
        victim.wait_ready(timeout_s=120)
    early = pods_evicted_within(kv, [victim], not_before_s=1, at_most_s=30, fault="node_deleted")
    verdicts = planting.expect(True, one_process_per_identity(kv), early)
    twice, told = (said(verdicts[it]) for it in ("one_process_per_identity", "pods_evicted_within"))
    assert any(f"two processes of {name}" in twice for name in there)
    assert any(f"{name} was told to end after" in told for name in there)
