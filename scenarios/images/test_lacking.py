"""Pods that lack something they need: configuration, a claim, what they wait for."""

from collections.abc import Callable
from typing import Any

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import ConfigMapWithdrawn, SecretWithdrawn
from chaoskit.faults.fault import Fault
from chaoskit.guarantees import (
    no_request_lost,
    only_versions,
    reason_shown,
    rollout_bounds,
    rollout_completes_within,
    runs_untouched,
)
from chaoskit.kube.client import Kube
from chaoskit.run import Run
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import MANAGED_BY
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import CONTAINER, image

#: A volume is tried again after 0.5 s, 1, 2 …; 8 s are not reached in the time these wait.
MOUNT_BACK_OFF_S = 8


def change(*, volume: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The change of the specimen's container in the template, and a volume at /more."""
    spec: dict[str, Any] = {"containers": [{"name": CONTAINER, **fields}]}
    if volume is not None:
        spec["volumes"] = [{"name": "more", **volume}]
        spec["containers"][0]["volumeMounts"] = [{"name": "more", "mountPath": "/more"}]
    return {"spec": {"template": {"spec": spec}}}


def object_of(kind: str, namespace: str, name: str, **content: Any) -> dict[str, Any]:
    """A small object of the core API."""
    metadata = {"name": name, "namespace": namespace, "labels": MANAGED_BY}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def put_claim(kube: Kube, namespace: str, storage_class: str, *, node: str | None = None) -> None:
    """Create the claim "more", in place of one that was never filled.

    For a pod that no scheduler sees, `node` says in its place where the volume is wanted.
    """
    if kube.find("PersistentVolumeClaim", "more", namespace) is not None:
        kube.delete("PersistentVolumeClaim", "more", namespace)
        wait_until(
            lambda: kube.find("PersistentVolumeClaim", "more", namespace) is None,
            what="the claim that was never filled to be gone",
            timeout_s=15,
        )
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "16Mi"}},
    }
    claim = object_of("PersistentVolumeClaim", namespace, "more", spec=spec)
    if node is not None:
        claim["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": node}
    kube.create(claim)


BY_ENVIRONMENT = change(image=image("v2"), envFrom=[{"configMapRef": {"name": "settings"}}])
BY_VOLUME = change(image=image("v2"), volume={"secret": {"secretName": "settings"}})


@pytest.mark.row("I6")
@pytest.mark.parametrize(
    "withdrawn, edit, reason, also",
    [
        (ConfigMapWithdrawn, BY_ENVIRONMENT, "CreateContainerConfigError", []),
        (SecretWithdrawn, BY_VOLUME, "FailedMount", ["ContainerCreating"]),
    ],
    ids=["environment", "volume"],
)
def test_configuration_that_is_withdrawn_comes_back(
    withdrawn: Callable[[str, str], Fault],
    edit: dict[str, Any],
    reason: str,
    also: list[str],
    cluster: K3sCluster,
    chaos: Run,
    web: Web,
) -> None:
    """A version that needs a ConfigMap or Secret is rolled out while that is gone.

    Goal: missing configuration holds a rollout until it is there, and harms nothing that runs.
    Method: withdraw it, roll the version out, wait for the reason, put it back.
    Expectation: the new pod says within 30 s which object is not found, and runs by itself within
    60 s and the back-off after the heal; no request is lost.
    """
    namespace, missing = chaos.setup.namespace, '"settings" not found'
    for kind in ("ConfigMap", "Secret"):
        cluster.kube.create(object_of(kind, namespace, "settings", data={"COLOUR": "Z3JlZW4="}))
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(withdrawn(namespace, "settings")):
            web.deployment.edit(edit)
            web.deployment.wait_reasons(reason, saying=missing, timeout_s=60)
        web.deployment.wait_complete(timeout_s=60 + MOUNT_BACK_OFF_S)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, reason, message=missing, also=also, after="edit"),
        runs_untouched(60 + MOUNT_BACK_OFF_S, web),
        rollout_bounds(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.row("I6")
def test_a_key_that_is_missing_is_added(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A version needs a key that its ConfigMap does not have.

    Goal: the pod names the key, and takes it as soon as it is there.
    Method: roll the version out, wait for the reason, add the key.
    Expectation: the new pod says within 30 s which key is missing where, and runs by itself within
    60 s of the edit of the ConfigMap; no request is lost.
    """
    namespace = chaos.setup.namespace
    source = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    cluster.kube.create(object_of("ConfigMap", namespace, "settings", data={"size": "2"}))
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit(change(env=[{"name": "COLOUR", "valueFrom": source}]))
        web.deployment.wait_reasons("CreateContainerConfigError", timeout_s=60)
        with chaos.steps.step("add_key", web.ref, detail="colour"):
            more = {"data": {"colour": "green"}}
            cluster.kube.patch("ConfigMap", "settings", namespace, more)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    missing = "couldn't find key colour in ConfigMap"
    chaos.check(
        reason_shown(web, "CreateContainerConfigError", message=missing, after="edit"),
        runs_untouched(60, web, after="add_key"),
        rollout_bounds(web),
        no_request_lost(),
    )


UNSCHEDULED = ["Unschedulable", "FailedScheduling"]


@pytest.mark.row("I10")
@pytest.mark.parametrize(
    "class_before, bound, reasons, message",
    [
        (None, False, UNSCHEDULED, 'persistentvolumeclaim "more" not found'),
        (None, True, ["FailedMount"], 'persistentvolumeclaims "more" not found'),
        ("no-such-class", False, UNSCHEDULED, "unbound immediate PersistentVolumeClaims"),
    ],
    ids=["missing", "missing, bound to a node", "unbound"],
)
def test_a_claim_that_is_missing_or_unbound_is_put_right(
    class_before: str | None,
    bound: bool,
    reasons: list[str],
    message: str,
    cluster: K3sCluster,
    chaos: Run,
    web: Web,
) -> None:
    """A version needs a claim that nobody has made yet, or that nobody can fill.

    Goal: a claim that is not there holds a rollout until it is, and harms nothing that runs.
    Method: roll the version out, wait for the reason, create the claim with a class that works.
    Expectation: the new pod says within 30 s what is wrong with the claim (to the scheduler, or,
    bound to a node, to the kubelet), and runs by itself within 60 s; no request is lost.
    """
    node = cluster.agents[0].name if bound else None
    needing = change(volume={"persistentVolumeClaim": {"claimName": "more"}})
    needing["spec"]["template"]["spec"]["nodeName"] = node
    if class_before is not None:
        put_claim(cluster.kube, chaos.setup.namespace, class_before)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit(needing)
        web.deployment.wait_reasons(*reasons, timeout_s=60)
        with chaos.steps.step("put_claim", web.ref):
            put_claim(cluster.kube, chaos.setup.namespace, "chaoskit-shared", node=node)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, *reasons, message=message, after="edit"),
        runs_untouched(60, web, after="put_claim"),
        rollout_bounds(web),
        no_request_lost(),
    )


@pytest.mark.row("I12")
def test_a_pod_says_what_it_still_waits_for(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A version whose init container waits, and which is not ready for a while after that.

    Goal: a pod that is slow to start says where it is, and gets no request before it is ready.
    Method: roll out a version with an init container of 8 s and 6 s of startup.
    Expectation: PodInitializing, and conditions that name first the init container and then the
    specimen, within 30 s; complete 60 s after the edit and these waits, as both new pods
    start at once; no request is lost.
    """
    init_s, startup_s = 8, 6
    wait = {"name": "wait", "image": image("v1"), "command": ["/specimen", "sleep", str(init_s)]}
    web = start_web(replicas=2, max_surge=2)
    slow = change(env=[{"name": "SPECIMEN_STARTUP_S", "value": str(startup_s)}])
    slow["spec"]["template"]["spec"]["initContainers"] = [wait]
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit(slow)
        web.deployment.wait_complete(timeout_s=60 + init_s + startup_s)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, "PodInitializing", after="edit"),
        reason_shown(web, "ContainersNotInitialized", message="[wait]", after="edit"),
        reason_shown(web, "ContainersNotReady", message=f"[{CONTAINER}]", after="edit"),
        rollout_completes_within(60 + init_s + startup_s, web, step="edit"),
        rollout_bounds(web),
        no_request_lost(),
    )
