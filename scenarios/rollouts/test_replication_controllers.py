"""ReplicationControllers: they keep a number of pods, and roll nothing by themselves."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    failures_attributed,
    only_versions,
    outage,
    pods_stay,
    requests_lost,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.replication_controller import ReplicationController
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

GRACE_S = 5
#: From the creation of a pod to its first answer, at worst.
START_S = 5
OUTAGE_AT_MOST_S = GRACE_S + START_S + 2

#: Pods that end at once when they are told to: what their deletion costs is seen in full.
AT_ONCE = SpecimenPod(pre_stop_s=0, drain_s=0, grace_s=GRACE_S)


@pytest.mark.row("R14")
def test_an_edited_template_waits_for_the_pods_to_be_deleted(
    cluster: K3sCluster, chaos: Run
) -> None:
    """The template of a ReplicationController is edited, and later all its pods are deleted.

    Goal: know what an edit does to pods that run (nothing), and what deleting them costs.
    Method: two pods; set the image in the template, leave it for 4 s, delete both pods.
    Expectation: while left alone both pods stay and only v1 answers; then two pods of v2 are there
    without anybody counting; at least one request is lost, and nobody waits longer than grace,
    start and 2 s.
    """
    namespace = chaos.setup.namespace
    service = Service.named(cluster.kube, namespace, "web", chaos.steps)
    ref = ObjectRef("ReplicationController", namespace, "web")
    web = ReplicationController(kube=cluster.kube, ref=ref, steps=chaos.steps)
    for manifest in specimen_manifests.controller(namespace, "web", pod=AT_ONCE):
        cluster.kube.apply(manifest)
    web.wait_ready(timeout_s=60)
    service.wait_answering(timeout_s=15)
    with chaos.load(service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("left alone"):
            web.set_image(image("v2"))
            load.run_for(seconds=4)
        for pod in web.pods():
            pod.delete()
        web.wait_ready(timeout_s=60)
        load.run_for(seconds=2)
        with chaos.phase("replaced"):
            load.run_for(seconds=4)
    chaos.check(
        pods_stay(web, {"v1": 2}, phase="left alone"),
        only_versions(["v1"], phase="left alone"),
        pods_stay(web, {"v2": 2}, phase="replaced"),
        only_versions(["v2"], phase="replaced"),
        requests_lost(at_least=1),
        outage(OUTAGE_AT_MOST_S),
        failures_attributed(),
    )
