"""A tag that names another image than it did."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node import Node
from chaoskit.cluster.registry import Registry
from chaoskit.guarantees import no_request_lost, only_versions, revision_numbers, step_skipped
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image


def on_node(node: Node, reference: str, policy: str) -> SpecimenPod:
    """Pods on one node, as each node has images of its own."""
    return SpecimenPod(
        reference=reference,
        pull_policy=policy,
        pod_spec={
            "nodeSelector": {"kubernetes.io/hostname": node.name},
            "imagePullSecrets": [{"name": "registry"}],
        },
    )


def replace_each(web: Web) -> None:
    """Delete its pods, each once all are there."""
    for pod in web.deployment.pods():
        pod.delete()
        pod.wait_gone(timeout_s=30)
        web.deployment.wait_ready(timeout_s=60)


@pytest.mark.row("R20")
@pytest.mark.parametrize(
    "policy, comes_back_as", [("IfNotPresent", "v1"), ("Always", "v2")], ids=["if absent", "always"]
)
def test_a_tag_that_is_pushed_again(
    policy: str,
    comes_back_as: str,
    cluster: K3sCluster,
    chaos: Run,
    registry: Registry,
    start_web: Callable[..., Web],
) -> None:
    """A tag is pushed again with other content, set once more, and the pods are deleted.

    Goal: know what a tag that moves does to pods of it: nothing, until they start anew.
    Method: run v1 under a tag on one node, push v2 as that tag, set the same image, leave it for
    3 s; then delete one pod after the other.
    Expectation: no new revision and no pod touched; the pods come back with what the node has
    (v1) under IfNotPresent, with what the tag is now (v2) under Always; no request is lost.
    """
    tag = f"{chaos.setup.namespace}/web:stable"
    registry.push(image("v1"), tag)
    cluster.kube.create(registry.pull_secret(chaos.setup.namespace))
    pod = on_node(cluster.agents[0], registry.reference(tag), policy)
    web = start_web(replicas=2, pod=pod)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("left alone"):
            registry.push(image("v2"), tag)
            web.deployment.set_image(registry.reference(tag))
            load.run_for(seconds=3)
        replace_each(web)
        with chaos.phase("replaced"):
            load.run_for(seconds=3)
    chaos.check(
        step_skipped(web, "set_image"),
        revision_numbers(web, [1]),
        only_versions(["v1"], phase="left alone"),
        only_versions([comes_back_as], phase="replaced"),
        no_request_lost(),
    )
