"""More rows of the family rollouts with a planted defect: scaled, large, and rolled back.

Their sound twins are the scenarios of those rows.
"""

import re

import pytest

from chaoskit.guarantees import (
    autoscaled_in_mid_rollout,
    pods_stay,
    ready_endpoints_stay,
    rollout_bounds,
    rollout_reaches,
    scaled_in_proportion,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.run.session import ChaosSession
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.autoscaler import Autoscaler
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.replication_controller import ReplicationController
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen_manifests import SpecimenPod, image
from tests.cluster.planting import Planting

pytestmark = pytest.mark.long

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


@pytest.mark.row("R2")
def test_a_hundred_pods_with_wider_bounds(
    planting: Planting, chaos_session: ChaosSession, namespace: Namespace
) -> None:
    """A hundred pods, of which twice as many may be away and beside them as was promised."""
    fake = chaos_session.add_kwok_nodes(4)
    try:
        pod = SpecimenPod(pod_spec=fake.pod_spec)
        manifest = specimen_manifests.web(
            namespace.name, "many", replicas=100, max_surge="20%", max_unavailable="50%", pod=pod
        )[1]
        many = Deployment.named(planting.cluster.kube, namespace.name, "many", planting.run.steps)
        many.apply(manifest)
        many.wait_complete(timeout_s=90)
        many.set_image(image("v2"))
        many.wait_complete(timeout_s=90)
        verdicts = planting.expect(
            True,
            rollout_bounds(many, max_surge="10%", max_unavailable="25%"),
            rollout_reaches(many, pods=110, available=75),
        )
        assert re.search("at most 110 may be|at least 75 must be", said(verdicts["rollout_bounds"]))
        assert "highest pods: 120, where 110" in said(verdicts["rollout_reaches"])
    finally:
        namespace.delete()
        fake.remove()


@pytest.mark.row("R13")
def test_rolled_back_without_moving_the_counts(planting: Planting) -> None:
    """What a client left half done is taken back by deleting the new one: the old stays small."""
    kube, namespace = planting.cluster.kube, planting.namespace.name
    made = {}
    for name, version, replicas in (("web", "v1", 1), ("next", "v2", 2)):
        pod = SpecimenPod(version=version, pre_stop_s=0, drain_s=0)
        manifests = specimen_manifests.controller(namespace, "web", replicas=replicas, pod=pod)
        spec, manifests[1]["metadata"]["name"] = manifests[1]["spec"], name
        spec["selector"]["version"] = spec["template"]["metadata"]["labels"]["version"] = version
        for manifest in manifests:
            kube.apply(manifest)
        ref = ObjectRef("ReplicationController", namespace, name)
        made[name] = ReplicationController(kube=kube, ref=ref, steps=planting.run.steps)
        made[name].wait_ready(timeout_s=60)
    service = Service.named(kube, namespace, "web", planting.run.steps)
    service.wait_answering(timeout_s=15)
    with planting.load(service) as load:
        made["next"].delete()
        made["next"].wait_gone(timeout_s=30)
        load.run_for(seconds=3)
        with planting.run.phase("after"):
            load.run_for(seconds=3)
    verdicts = planting.expect(
        True,
        pods_stay(made["web"], {"v1": 3}, phase="after"),
        ready_endpoints_stay(service, {"v1": 3}, phase="after"),
    )
    assert said(verdicts["pods_stay"]) == "there were 1 of v1, not 3 of v1"


@pytest.mark.row("R17")
def test_extra_pods_that_go_to_one_set(planting: Planting) -> None:
    """A note on the new ReplicaSet says that it is one of many: its share of new pods is small."""
    web = planting.web(replicas=10, max_surge=3, max_unavailable=2, pod=QUICK)
    web.deployment.set_env(SPECIMEN_VERSION="v2", SPECIMEN_STARTUP_S="8")
    web.deployment.wait_updated(5, timeout_s=30)
    new_set = web.deployment.history()[-1].holder
    most = {"metadata": {"annotations": {"deployment.kubernetes.io/max-replicas": "26"}}}
    planting.cluster.kube.patch("ReplicaSet", new_set, web.ref.namespace, most)
    web.deployment.scale(15)
    web.deployment.wait_complete(timeout_s=120)
    verdict = planting.expect(True, scaled_in_proportion(web))
    assert "went from 8 to 15 pods, where its share of 18 is 11.1" in said(
        verdict["scaled_in_proportion"]
    )


@pytest.mark.row("R17")
def test_an_autoscaler_with_more_room_than_was_promised(
    planting: Planting, chaos_session: ChaosSession
) -> None:
    """An autoscaler that may go to five pods where at most four were promised."""
    pod = SpecimenPod(pre_stop_s=0, drain_s=0, requests={"cpu": "10m"})
    web = planting.web(replicas=2, min_ready_s=15, pod=pod)
    autoscaler = Autoscaler.of(web.deployment)
    chaos_session.start_metrics()
    try:
        with planting.load(web.service, rate_per_s=200):
            autoscaler.wait_metrics(pods_count=2, timeout_s=90)
            web.deployment.set_image(image("v2"))
            autoscaler.apply(at_least=2, at_most=5, cpu_percent=20)
            autoscaler.wait_wanted(5, timeout_s=90)
    finally:
        chaos_session.stop_metrics()
    verdict = planting.expect(True, autoscaled_in_mid_rollout(web, at_least=2, at_most=4))
    assert said(verdict["autoscaled_in_mid_rollout"]) == "5 pods are wanted, not 2 to 4"
