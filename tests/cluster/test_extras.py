"""What runs in a cluster only while it is asked for: it works, and leaves nothing behind."""

import json

import pytest

from chaoskit.cluster import fingerprint
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.run.session import ChaosSession
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen_manifests import SpecimenPod

pytestmark = [pytest.mark.long, pytest.mark.alone]  # the whole cluster is compared


def test_fake_nodes_take_only_what_asks_for_them_and_leave_nothing(
    cluster: K3sCluster, chaos_session: ChaosSession
) -> None:
    before = fingerprint.fingerprint(cluster)
    namespace = Namespace.create(cluster.kube, "extras")
    fake = chaos_session.add_kwok_nodes(2)
    for name, spec in (("real", {}), ("many", fake.pod_spec)):
        pod = SpecimenPod(pod_spec=spec)
        manifest = specimen_manifests.web(namespace.name, name, replicas=6, pod=pod)[1]
        deployment = Deployment.named(cluster.kube, namespace.name, name)
        deployment.apply(manifest)
        deployment.wait_complete(timeout_s=60)
        nodes = {pod.node_name for pod in deployment.pods()}
        assert nodes <= (set(fake.names) if spec else {node.name for node in cluster.nodes})
    again = chaos_session.add_kwok_nodes(2)
    assert again.names == fake.names, "what is there stays"

    namespace.delete()
    fake.remove()

    assert not [
        node for node in cluster.kube.list("Node") if node["metadata"]["name"] in fake.names
    ]
    leases = {lease["metadata"]["name"] for lease in cluster.kube.list("Lease", "kube-node-lease")}
    assert not leases & set(fake.names)
    namespace.wait_gone(timeout_s=60)
    assert fingerprint.left_after(cluster, before, timeout_s=10) == []


def test_metrics_are_served_and_then_gone(cluster: K3sCluster, chaos_session: ChaosSession) -> None:
    before = fingerprint.fingerprint(cluster)
    namespace = Namespace.create(cluster.kube, "extras")
    web = Deployment.named(cluster.kube, namespace.name, "web")
    web.apply(specimen_manifests.web(namespace.name, "web", replicas=1)[1])
    web.wait_complete(timeout_s=60)
    path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace.name}/pods"
    chaos_session.start_metrics()
    (pod,) = web.pods()
    said = wait_until(
        lambda: json.loads(cluster.kube.raw_get(path))["items"],
        what=f"what {pod.name} uses",
        timeout_s=60,
        interval_s=1,
    )
    assert [item["metadata"]["name"] for item in said] == [pod.name]
    assert said[0]["containers"][0]["usage"].keys() == {"cpu", "memory"}

    chaos_session.stop_metrics()
    namespace.delete()

    namespace.wait_gone(timeout_s=60)
    assert fingerprint.left_after(cluster, before, timeout_s=10) == []
