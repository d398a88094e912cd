"""Defects of stores, and of what surrounds them: each is found and named, its twin is HELD."""

import pytest

from chaoskit.faults import ContainerSignalled
from chaoskit.guarantees import acknowledged_writes_survive, claims_stay, recovers_within
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.planting import Planting, twins

pytestmark = pytest.mark.long  # each starts a store twice, and loses a member of it


@twins
def test_a_store_that_acknowledges_before_it_writes(planting: Planting, planted: bool) -> None:
    """A store that acknowledges first and writes later: what KILL takes is gone."""
    defects = {"SPECIMEN_DEFECTS": "ack-before-write=2"} if planted else {}
    kv = planting.kv(pod=SpecimenPod(settings=defects))
    with planting.load(kv, rate_per_s=50) as load:
        with planting.run.inject(ContainerSignalled.of(kv.pod(0))):
            kv.pod(0).wait_ready(timeout_s=60)
        load.run_for(seconds=3)
    planting.run.read_store(kv, via=planting.cluster.servers[0])
    verdicts = planting.expect(planted, acknowledged_writes_survive(kv))
    if planted:
        first = verdicts["acknowledged_writes_survive"].evidence.first
        assert first is not None
        assert "kv-0 lost the acknowledged write" in first.text


@twins
def test_a_claim_that_is_taken_away(planting: Planting, planted: bool) -> None:
    """A member's claim deleted with the member: a new, empty one takes its name."""
    kv = planting.kv(replicas=2)
    kube, namespace = planting.cluster.kube, planting.namespace.name
    with planting.load(kv, rate_per_s=50) as load:
        if planted:
            kube.delete("PersistentVolumeClaim", "data-kv-1", namespace)
        uid = kv.pod(1).delete()
        kv.pod(1).wait_gone(timeout_s=60, uid=uid)
        kv.pod(1).wait_ready(timeout_s=60)
        load.run_for(seconds=3)
    verdicts = planting.expect(planted, claims_stay(kv))
    if planted:
        first = verdicts["claims_stay"].evidence.first
        assert first is not None
        assert "data-kv-1" in first.text


@twins
def test_a_quota_that_is_too_small(planting: Planting, planted: bool) -> None:
    """A quota without room for the member that has to come back."""
    kv = planting.kv(replicas=2)
    kube, namespace = planting.cluster.kube, planting.namespace.name
    with planting.load(kv, rate_per_s=50) as load:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few", "namespace": namespace},
            "spec": {"hard": {"pods": "1" if planted else "10"}},
        }
        kube.apply(quota)
        kv.pod(1).delete()
        load.run_for(seconds=25)
    planting.expect(planted, recovers_within(20, kv, kind="StatefulSet", after="delete"))
