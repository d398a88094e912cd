"""Rows of the family images, and of others about images, with a planted defect: each is found.

Their sound twins are the scenarios of those rows.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from chaoskit.cluster.registry import Registry
from chaoskit.faults import CniConfigWithdrawn, ComponentPaused
from chaoskit.guarantees import (
    no_needless_restart,
    no_request_lost,
    node_reason_shown,
    only_versions,
    reason_shown,
    recovers_within,
    rollout_bounds,
    rollout_completes_within,
    rollout_stalled,
    runs_untouched,
    template_restored,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.workloads.specimen_manifests import CONTAINER, SpecimenPod, image
from tests.cluster.planting import Planting

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)
SECRETS = {"imagePullSecrets": [{"name": "registry"}]}
#: How long a defect is watched before it is judged.
LEFT_S = 6


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


def change(*, volumes: Sequence[Any] = (), **container: Any) -> dict[str, Any]:
    """The change of the specimen's container in the template, and of the pod's volumes."""
    spec: dict[str, Any] = {"containers": [{"name": CONTAINER, **container}]}
    if volumes:
        spec["volumes"] = [*volumes]
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.long
@pytest.mark.row("I1", "I4")
def test_another_tag_than_the_one_that_lacks(planting: Planting, registry: Registry) -> None:
    """The tag is pushed under another name; and the cause is said to be the connection."""
    namespace = planting.namespace.name
    planting.cluster.kube.create(registry.pull_secret(namespace))
    web = planting.web(replicas=1, pod=SpecimenPod(pre_stop_s=0, drain_s=0, pod_spec=SECRETS))
    with planting.load(web.service) as load:
        web.deployment.set_image(registry.reference(f"{namespace}/web:v2"))
        load.run_for(seconds=LEFT_S)
        with planting.run.steps.step("push", web.ref):
            registry.push(image("v2"), f"{namespace}/web:v3")
        load.run_for(seconds=25)
    verdicts = planting.expect(
        True,
        reason_shown(web, "ErrImagePull", message="connection refused", within_s=5),
        runs_untouched(24, web, after="push"),
    )
    assert "not found" in said(verdicts["reason_shown"])
    assert "is not Ready after 24 s" in said(verdicts["runs_untouched"])


@pytest.mark.row("I2")
def test_old_pods_that_are_taken_for_a_name_that_cannot_be(planting: Planting) -> None:
    """All old pods may go at once, and do: for an image whose name cannot be parsed."""
    web = planting.web(replicas=2, max_surge=0, max_unavailable="100%", pod=QUICK)
    with planting.load(web.service) as load:
        web.deployment.edit(change(image="Chaoskit/Specimen:v2"))
        load.run_for(seconds=LEFT_S)
    planting.expect(
        True,
        reason_shown(web, "ErrImagePull", within_s=5, after="edit"),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        no_request_lost(),
    )


@pytest.mark.row("I3", "I7", "I9")
@pytest.mark.parametrize(
    "bad, promised, seen",
    [
        ({"image": image("none"), "imagePullPolicy": "Never"}, "ErrImagePull", "ErrImageNeverPull"),
        ({"command": ["/none"]}, "CreateContainerError", "StartError"),
        (
            {"lifecycle": {"postStart": {"exec": {"command": ["/specimen", "exit", "3"]}}}},
            "RunContainerError",
            "PostStartHookError",
        ),
        (
            {
                "volumes": [{"name": "bad", "hostPath": {"path": "/proc/no/such"}}],
                "volumeMounts": [{"name": "bad", "mountPath": "/bad"}],
            },
            "RunContainerError",
            "CreateContainerError",
        ),
    ],
    ids=["never", "command", "hook", "mount"],
)
def test_another_reason_than_was_promised(
    bad: dict[str, Any], promised: str, seen: str, planting: Planting
) -> None:
    """The reason that is shown is not the one that was promised."""
    web = planting.web(replicas=1, pod=QUICK)
    with planting.load(web.service) as load:
        web.deployment.edit(change(**bad))
        load.run_for(seconds=LEFT_S + 3)
    verdict = planting.expect(True, reason_shown(web, promised, within_s=LEFT_S, after="edit"))
    assert f"shows {promised} in 6 s; seen: Pod web-" in said(verdict["reason_shown"])
    assert f"shows {seen}" in said(verdict["reason_shown"])


@pytest.mark.row("I6")
def test_a_key_that_is_added_under_another_name(planting: Planting) -> None:
    """The ConfigMap gets another key than the one that is missing."""
    kube, namespace = planting.cluster.kube, planting.namespace.name
    metadata = {"name": "settings", "namespace": namespace}
    kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})
    web = planting.web(replicas=1, pod=QUICK)
    source = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    with planting.load(web.service) as load:
        web.deployment.edit(change(env=[{"name": "COLOUR", "valueFrom": source}]))
        web.deployment.wait_reasons("CreateContainerConfigError", timeout_s=30)
        with planting.run.steps.step("add_key", web.ref):
            kube.patch("ConfigMap", "settings", namespace, {"data": {"color": "green"}})
        load.run_for(seconds=LEFT_S + 10)
    verdict = planting.expect(True, runs_untouched(LEFT_S + 9, web, after="add_key"))
    assert "is not Ready after 15 s" in said(verdict["runs_untouched"])


@pytest.mark.row("I8")
def test_a_fix_that_fixes_nothing(planting: Planting) -> None:
    """What follows the broken version exits at once, too."""
    web = planting.web(replicas=1, pod=QUICK)
    with planting.load(web.service) as load:
        web.deployment.set_env(SPECIMEN_DEFECTS="no-such-defect")
        web.deployment.wait_reasons("CrashLoopBackOff", timeout_s=30)
        web.deployment.edit(change(image=image("v2")))
        load.run_for(seconds=LEFT_S + 3)
    verdict = planting.expect(True, rollout_completes_within(LEFT_S, web, step="edit"))
    assert "6 s" in said(verdict["rollout_completes_within"])


@pytest.mark.long
@pytest.mark.row("I10")
def test_a_claim_that_is_made_under_another_name(planting: Planting) -> None:
    """Another claim is made than the one that is missing; and it was said to fail at its mount."""
    kube, namespace = planting.cluster.kube, planting.namespace.name
    web = planting.web(replicas=1, pod=QUICK)
    needing = change(volumeMounts=[{"name": "more", "mountPath": "/more"}])
    volume = {"name": "more", "persistentVolumeClaim": {"claimName": "more"}}
    needing["spec"]["template"]["spec"]["volumes"] = [volume]
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "chaoskit-shared",
        "resources": {"requests": {"storage": "16Mi"}},
    }
    metadata = {"name": "less", "namespace": namespace}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
    with planting.load(web.service) as load:
        web.deployment.edit(needing)
        load.run_for(seconds=LEFT_S)
        with planting.run.steps.step("put_claim", web.ref):
            kube.create({**claim, "spec": spec})
        load.run_for(seconds=LEFT_S + 5)
    verdicts = planting.expect(
        True,
        reason_shown(web, "FailedMount", message="not found", within_s=LEFT_S - 1, after="edit"),
        runs_untouched(LEFT_S + 4, web, after="put_claim"),
    )
    assert 'persistentvolumeclaim "more" not found' in said(verdicts["reason_shown"])
    assert "is not Ready after 10 s" in said(verdicts["runs_untouched"])


@pytest.mark.row("I12")
def test_a_pod_that_somebody_deletes_before_it_runs(planting: Planting) -> None:
    """Somebody deletes the pod that waits for its init container, as if that helped."""
    web = planting.web(replicas=1, pod=QUICK)
    init = {"name": "wait", "image": image("v1"), "command": ["/specimen", "sleep", "6"]}
    waiting = {"spec": {"template": {"spec": {"initContainers": [init]}}}}
    with planting.load(web.service) as load:
        web.deployment.edit(waiting)
        web.deployment.wait_reasons("PodInitializing", timeout_s=30)
        load.run_for(seconds=2)
        with planting.run.steps.step("release", web.ref):
            waits = [p for p in web.deployment.pods() if p.read()["spec"].get("initContainers")]
        waits[0].delete(grace_period_s=1)
        load.run_for(seconds=LEFT_S)
    verdicts = planting.expect(
        True,
        runs_untouched(60, web, after="release"),
        reason_shown(web, "ContainersNotInitialized", message="[claim]", within_s=1, after="edit"),
    )
    assert "was taken away" in said(verdicts["runs_untouched"])


@pytest.mark.alone
@pytest.mark.row("I11")
def test_a_node_that_says_something_else(planting: Planting) -> None:
    """The node lacks its network configuration, and not room on its disk."""
    victim = planting.cluster.agents[1]
    web = planting.web(replicas=1)
    with planting.load(web.service) as load:
        with planting.run.inject(CniConfigWithdrawn(victim.name)):
            victim.wait_not_ready(timeout_s=60)
            load.run_for(seconds=LEFT_S)
        victim.wait_ready(timeout_s=60)
    verdict = planting.expect(
        True,
        node_reason_shown(
            victim,
            "KubeletNotReady",
            message="disk",
            within_s=LEFT_S - 1,
            fault="cni_config_withdrawn",
        ),
    )
    assert "NetworkPluginNotReady" in said(verdict["node_reason_shown"])


@pytest.mark.alone
@pytest.mark.row("I13")
def test_a_node_that_says_nothing(planting: Planting) -> None:
    """A hanging container runtime, of which the node says nothing."""
    victim = planting.cluster.agents[1]
    web = planting.web(replicas=1)
    fault = "component_paused"
    with planting.load(web.service) as load:
        with planting.run.inject(ComponentPaused(victim.name, "containerd")):
            load.run_for(seconds=LEFT_S + 1)
        load.run_for(seconds=1)
    verdict = planting.expect(
        True,
        node_reason_shown(
            victim, "KubeletNotReady", message="is down", within_s=LEFT_S, fault=fault
        ),
    )
    assert "seen: nothing" in said(verdict["node_reason_shown"])


@pytest.mark.long
@pytest.mark.row("I5", "S11")
def test_a_wrong_password_in_place_of_none(planting: Planting, registry: Registry) -> None:
    """The Secret that was missing is made with a wrong password."""
    namespace = planting.namespace.name
    registry.push(image("v2"), f"{namespace}/kv:v2")
    kv = planting.kv(replicas=1, pod=SpecimenPod(pre_stop_s=0, drain_s=0, pod_spec=SECRETS))
    with planting.load(kv.service) as load:
        kv.stateful_set.set_image(registry.reference(f"{namespace}/kv:v2"))
        kv.pod(0).wait_reason("ErrImagePull", timeout_s=30)
        with planting.run.steps.step("apply_secret", kv.ref):
            planting.cluster.kube.apply(registry.pull_secret(namespace, password="wrong"))
        load.run_for(seconds=22)
    verdicts = planting.expect(
        True,
        runs_untouched(20, kv, after="apply_secret"),
        recovers_within(20, kv, after="apply_secret"),
    )
    assert "kv-0 is not Ready after 20 s" in said(verdicts["runs_untouched"])


@pytest.mark.long
@pytest.mark.row("R20")
def test_a_tag_that_moves_under_pods_that_always_pull(
    planting: Planting, registry: Registry
) -> None:
    """What was promised to stay v1 is pulled anew, and is v2."""
    namespace = planting.namespace.name
    tag = f"{namespace}/web:stable"
    registry.push(image("v1"), tag)
    planting.cluster.kube.create(registry.pull_secret(namespace))
    pod = SpecimenPod(reference=registry.reference(tag), pull_policy="Always", pod_spec=SECRETS)
    web = planting.web(replicas=1, pod=pod)
    with planting.load(web.service) as load:
        registry.push(image("v2"), tag)
        web.deployment.restart()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    verdict = planting.expect(True, only_versions(["v1"]))
    assert "answered as revision v2" in said(verdict["only_versions"])


@pytest.mark.row("R9")
def test_a_tag_that_exists_after_all(planting: Planting) -> None:
    """The tag is there: its rollout goes through, and is undone to the revision before the last."""
    web = planting.web(replicas=2, pod=QUICK)
    web.deployment.set_image(image("v3"))
    web.deployment.wait_complete(timeout_s=60)
    with planting.load(web.service) as load:
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
        web.deployment.undo(to_revision=1)
        web.deployment.wait_complete(timeout_s=60)
    verdicts = planting.expect(
        True,
        rollout_stalled(web, within_s=5),
        only_versions(["v3"]),
        no_needless_restart(web),
        template_restored(web),
    )
    assert "answered as revision v2" in said(verdicts["only_versions"])
