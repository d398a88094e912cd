"""Rollouts where the nodes are exactly full: there is no room for a pod more."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    failures_attributed,
    no_overlap_when_recreated,
    no_request_lost,
    only_new_pods_after_completion,
    only_versions,
    outage,
    progress_deadline_reported,
    reason_shown,
    requests_lost,
    rollout_bounds,
    rollout_completes_within,
)
from chaoskit.run import Run
from chaoskit.workloads.pod import is_terminating
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

GRACE_S = 8
START_S = 5
#: Longer than an old pod takes to end and a new one to start in its place.
DEADLINE_S = 12


def filling(cluster: K3sCluster, count: int) -> SpecimenPod:
    """Pods of which so many, and no more, fit on one node."""
    node = cluster.agents[0].name
    free_m = _milli(cluster.kube.get("Node", node)["status"]["allocatable"]["cpu"])
    for item in cluster.kube.list("Pod", fields=f"spec.nodeName={node}"):
        if not is_terminating(item):
            for container in item["spec"]["containers"]:
                asked = container.get("resources", {}).get("requests", {})
                free_m -= _milli(asked.get("cpu", "0"))
    here = {"nodeSelector": {"kubernetes.io/hostname": node}}
    asks = {"cpu": f"{free_m // count}m"}
    return SpecimenPod(requests=asks, pod_spec=here, grace_s=GRACE_S)


def _milli(quantity: str) -> int:
    """A quantity of CPU in thousandths."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


@pytest.mark.row("R19")
def test_a_surge_pod_that_does_not_fit_is_waited_for(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Two pods fill a node, and an update wants a third one beside them.

    Goal: a rollout without room hurts nobody, says why, and can be freed.
    Method: surge 1, none unavailable, deadline 12 s; set the image, wait for the report; then allow
    one unavailable in place of the surge.
    Expectation: the new pod is Pending for want of CPU and the passed deadline reported, while both
    old pods answer everything; then the rollout completes with at least one pod available.
    """
    web = start_web(replicas=2, progress_deadline_s=DEADLINE_S, pod=filling(cluster, 2))
    instead = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("no room"):
            web.deployment.set_image(image("v2"))
            web.deployment.wait_deadline_exceeded(timeout_s=30)
            load.run_for(seconds=3)
        web.deployment.edit({"spec": {"strategy": instead}})
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
    chaos.check(
        reason_shown(web, "Unschedulable", message="Insufficient cpu", within_s=8),
        progress_deadline_reported(web, deadline_s=DEADLINE_S, slack_s=5),
        only_versions(["v1"], phase="no room"),
        no_request_lost(phase="no room"),
        rollout_bounds(web),
        rollout_completes_within(40, web, step="edit"),
        only_new_pods_after_completion(web),
        no_request_lost(),
    )


@pytest.mark.row("R19")
def test_recreate_needs_no_room(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Two pods fill a node, and an update takes them away first.

    Goal: know the way that needs no room at all, and what it costs.
    Method: set the image under the strategy Recreate, with a grace of 8 s.
    Expectation: the rollout completes; at least one request is lost, and nobody waits longer than
    grace, start and 2 s.
    """
    web = start_web(replicas=2, strategy={"type": "Recreate"}, pod=filling(cluster, 2))
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
    chaos.check(
        rollout_completes_within(40, web),
        no_overlap_when_recreated(web),
        only_new_pods_after_completion(web),
        requests_lost(at_least=1),
        outage(GRACE_S + START_S + 2),
        failures_attributed(),
    )
