"""Whose pods are whose: what a Deployment replaces, lets go, takes back and leaves alone."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import KubernetesError
from chaoskit.guarantees import (
    failures_attributed,
    no_request_lost,
    pods_stay,
    ready_endpoints_stay,
    recovers_within,
    requests_lost,
    revision_numbers,
    step_refused,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image

#: From the creation of a pod to its being Ready, at worst.
START_S = 10
#: What the API server says of a changed selector, and of one that fits no pod of its own.
IMMUTABLE = "field is immutable"
NO_MATCH = "`selector` does not match template `labels`"


@pytest.mark.row("R21")
def test_deleted_pods_are_replaced(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Two pods of four are deleted.

    Goal: a Deployment comes back to its number by itself.
    Method: delete two pods ordinarily, one right after the other.
    Expectation: four Ready pods again within 10 s, by new ones; no request is lost.
    """
    web = start_web(replicas=4)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        victims = web.deployment.pods()[:2]
        for victim in victims:
            victim.delete()
        for victim in victims:
            victim.wait_gone(timeout_s=30)
        web.deployment.wait_ready(timeout_s=60)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        recovers_within(START_S, web, after="delete"),
        pods_stay(web, {"v1": 4}, phase="after"),
        ready_endpoints_stay(web.service, {"v1": 4}, phase="after"),
        no_request_lost(),
    )


@pytest.mark.row("R21")
def test_a_pod_is_released_and_taken_back_by_its_label(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """The label that the selector names is taken from a pod and put back.

    Goal: a pod can be set aside to be looked at, alive, without its share of the requests.
    Method: take the label `app` from one of three pods, wait for another one, put it back.
    Expectation: without the label it is no pod of the Deployment and no endpoint, and another one
    takes its place; with it there is one too many, which ends: three pods and three endpoints
    either way. No request is lost.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        aside = web.deployment.pods()[0]
        aside.set_label("app", None)
        web.deployment.wait_ready(timeout_s=30)
        web.service.wait_endpoints(3, timeout_s=15)
        with chaos.phase("aside"):
            load.run_for(seconds=4)
        aside.set_label("app", "web")
        load.run_for(seconds=2)
        with chaos.phase("taken back"):
            load.run_for(seconds=6)
    chaos.check(
        pods_stay(web, {"v1": 3}, phase="aside"),
        ready_endpoints_stay(web.service, {"v1": 3}, phase="aside"),
        pods_stay(web, {"v1": 3}, phase="taken back"),
        ready_endpoints_stay(web.service, {"v1": 3}, phase="taken back"),
        no_request_lost(),
    )


@pytest.mark.row("R21")
def test_a_selector_that_loses_its_pods_is_refused(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """A selector is edited, and another one fits none of its own pods.

    Goal: no Deployment forgets its pods, or makes pods without end.
    Method: edit the selector of a running one; create one whose template lacks the label.
    Expectation: both refused with the API server's own words; nothing changes and no request is
    lost.
    """
    labels = {"selector": {"matchLabels": {"app": "else"}}}
    never = Deployment.named(cluster.kube, chaos.setup.namespace, "never", chaos.steps)
    manifest = specimen_manifests.web(chaos.setup.namespace, "never")[1]
    manifest["spec"] |= labels
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with pytest.raises(KubernetesError, match=IMMUTABLE):
            web.deployment.edit({"spec": labels})
        with pytest.raises(KubernetesError, match=NO_MATCH):
            never.apply(manifest)
        with chaos.phase("after"):
            load.run_for(seconds=3)
    chaos.check(
        step_refused(web, "edit", IMMUTABLE),
        step_refused(never, "apply", NO_MATCH),
        pods_stay(web, {"v1": 3}, phase="after"),
        revision_numbers(web, [1]),
        no_request_lost(),
    )


@pytest.mark.row("R21")
def test_overlapping_selectors_touch_nobody_elses_pods(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """Two Deployments with one selector and, at first, one template.

    Goal: owners tell pods apart, whatever their labels say.
    Method: a second Deployment with the selector and template of the first; roll and scale the
    second, then roll the first.
    Expectation: while one moves the other keeps every pod; no request is lost.
    """
    manifest = specimen_manifests.web(chaos.setup.namespace, "web", replicas=2)[1]
    manifest["metadata"]["name"] = "other"
    other = Deployment.named(cluster.kube, chaos.setup.namespace, "other", chaos.steps)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("the other moves"):
            other.apply(manifest)
            other.wait_complete(timeout_s=60)
            other.set_image(image("v2"))
            other.wait_complete(timeout_s=60)
            other.scale(1)
            other.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
        with chaos.phase("the first moves"):
            web.deployment.set_image(image("v3"))
            web.deployment.wait_complete(timeout_s=60)
    chaos.check(
        pods_stay(web, {"v1": 3}, phase="the other moves"),
        pods_stay(other, {"v2": 1}, phase="the first moves"),
        revision_numbers(web, [1], [1, 2]),
        revision_numbers(other, [1], [1, 2], [1, 2]),
        no_request_lost(),
    )


@pytest.mark.row("R21")
def test_a_deleted_deployment_leaves_nothing(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A Deployment is deleted.

    Goal: what a Deployment has made goes with it.
    Method: delete it, wait until its pods are gone, leave it for 3 s.
    Expectation: no pod, no ReplicaSet and no ready endpoint of it is left; requests fail from
    then on, each of them for a reason.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        pods = web.deployment.pods()
        web.deployment.delete()
        for pod in pods:
            pod.wait_gone(timeout_s=40)
        with chaos.phase("after"):
            load.run_for(seconds=3)
    chaos.check(
        pods_stay(web, {}, phase="after"),
        ready_endpoints_stay(web.service, {}, phase="after"),
        revision_numbers(web, [1], []),
        requests_lost(at_least=1),
        failures_attributed(),
    )
