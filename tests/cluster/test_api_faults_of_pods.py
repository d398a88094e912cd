"""Faults of pods through the API: recovery, refusals, and what others change meanwhile."""

import pytest

from chaoskit.errors import FaultError, WaitTimeout
from chaoskit.faults import (
    FinalizerStuck,
    LivenessFailing,
    PodDeleted,
    PodEvicted,
    PodForceDeleted,
    QuotaLowered,
    ReadinessFailing,
)
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound, Transient
from chaoskit.waiting import wait_until
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.faults import elsewhere
from tests.cluster.faults.pod_api import alive
from tests.cluster.faults.stage import Stage

pytestmark = [pytest.mark.long, pytest.mark.alone]  # workloads that go and recover

_SOON_S = 20.0
_RECOVERED_S = 60.0
_HEAL_AFTER_S = 120.0


def bare_pod(stage: Stage, name: str = "bare") -> Pod:
    template = SpecimenPod(pre_stop_s=0, drain_s=0.0).template({"app": name})
    metadata = {"name": name, "namespace": stage.namespace.name}
    stage.cluster.kube.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    )
    pod = Pod(kube=stage.cluster.kube, ref=ObjectRef("Pod", stage.namespace.name, name))
    pod.wait_ready(_RECOVERED_S)
    return pod


def notes(stage: Stage) -> list[str]:
    found = stage.cluster.kube.list("ConfigMap", stage.namespace.name)
    return [item["metadata"]["name"] for item in found if "faults" in str(item["metadata"])]


def control(stage: Stage, pod: str, change: Object | None = None) -> Object:
    return stage.cluster.kube.ask_pod(pod, stage.namespace.name, 8080, "/control", change)


def wait_for_effect(stage: Stage, fault: ReadinessFailing | LivenessFailing | PodDeleted) -> None:
    wait_until(lambda: fault.is_effective(stage.cluster), what="its effect", timeout_s=_SOON_S)


@pytest.mark.parametrize("kind", [PodDeleted, PodForceDeleted, PodEvicted])
def test_a_member_is_recovered_once_it_is_ready_under_a_new_uid(
    kind: type[PodDeleted | PodForceDeleted | PodEvicted], stage: Stage
) -> None:
    member = stage.kv.pod(0)
    before = member.read()["metadata"]["uid"]
    fault = kind(stage.namespace.name, member.name)

    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert notes(stage)
    elsewhere.heal(fault, stage.cluster)

    now = member.read()
    assert now["metadata"]["uid"] != before
    assert {"type": "Ready", "status": "True"}.items() <= next(
        c for c in now["status"]["conditions"] if c["type"] == "Ready"
    ).items()
    assert notes(stage) == []


def test_a_deployment_is_recovered_once_as_many_pods_are_ready_as_before(stage: Stage) -> None:
    victim = stage.pod()
    fault = PodDeleted(stage.namespace.name, victim.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    elsewhere.heal(fault, stage.cluster)

    pods = stage.web.deployment.pods()
    assert victim.uid not in {pod.uid for pod in pods}
    assert len(pods) == 3
    for pod in pods:
        pod.wait_ready(0.5)


def test_what_is_missing_stands_in_the_error_until_it_recovers(stage: Stage) -> None:
    victim = stage.pod()
    namespace = stage.namespace.name
    full = QuotaLowered(namespace, {"pods": "0"})
    fault = PodForceDeleted(namespace, victim.name, recovered_within_s=4.0)
    full.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    try:
        wait_until(lambda: full.is_effective(stage.cluster), what="the quota", timeout_s=_SOON_S)
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        with pytest.raises(WaitTimeout, match="Deployment web has 2 of 3 ready pods"):
            fault.heal(stage.cluster)
    finally:
        full.heal(stage.cluster)
    PodForceDeleted(namespace, victim.name, recovered_within_s=_RECOVERED_S).heal(stage.cluster)
    assert len(stage.web.deployment.pods()) == 3


def test_a_scaled_in_or_deleted_owner_is_not_waited_for(stage: Stage) -> None:
    fault = PodDeleted(stage.namespace.name, stage.pod().name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    stage.web.deployment.scale(0)
    fault.heal(stage.cluster)
    member = PodDeleted(stage.namespace.name, stage.kv.pod(0).name)
    member.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    stage.kv.stateful_set.delete()
    member.heal(stage.cluster)
    assert notes(stage) == []


def test_a_bare_pod_only_has_to_be_gone(stage: Stage) -> None:
    pod = bare_pod(stage)
    fault = PodDeleted(stage.namespace.name, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    fault.heal(stage.cluster)
    pod.wait_gone(0.5)
    with pytest.raises(NotFound):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert notes(stage) == []


def test_a_budget_that_forbids_the_eviction_is_passed_on(stage: Stage) -> None:
    victim = stage.pod()
    stage.cluster.kube.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "all", "namespace": stage.namespace.name},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
        }
    )
    fault = PodEvicted(stage.namespace.name, victim.name)
    with pytest.raises(Transient, match="disruption budget") as refused:
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert refused.value.status == 429
    assert not fault.is_effective(stage.cluster)
    assert notes(stage) == []
    assert victim.read()["metadata"]["uid"] == victim.uid


def test_nothing_is_left_to_heal_once_the_pod_is_gone(stage: Stage) -> None:
    pod = bare_pod(stage)
    at = (stage.namespace.name, pod.name)
    unready, held = ReadinessFailing(*at), FinalizerStuck(*at)
    unready.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    held.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    pod.delete(force=True)
    assert pod.wait_terminating(_SOON_S)
    elsewhere.heal(held, stage.cluster)
    pod.wait_gone(_SOON_S)
    elsewhere.heal(unready, stage.cluster)
    assert not unready.is_effective(stage.cluster)


def test_only_our_finalizer_is_taken_away(stage: Stage) -> None:
    pod = bare_pod(stage)
    kube, namespace = stage.cluster.kube, stage.namespace.name
    fault = FinalizerStuck(namespace, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    theirs = {"metadata": {"finalizers": ["example.org/theirs"]}}
    kube.patch("Pod", pod.name, namespace, theirs, style="strategic")
    try:
        assert len(pod.read()["metadata"]["finalizers"]) == 2
        elsewhere.heal(fault, stage.cluster)
        assert pod.read()["metadata"]["finalizers"] == ["example.org/theirs"]
    finally:
        kube.patch("Pod", pod.name, namespace, {"metadata": {"finalizers": None}})


def test_a_claim_is_held_as_well_as_a_pod(stage: Stage) -> None:
    stage.kv  # noqa: B018 - it makes the claim
    fault = FinalizerStuck(stage.namespace.name, "data-kv-0", kind="PersistentVolumeClaim")
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert fault.is_effective(stage.cluster)
    elsewhere.heal(fault, stage.cluster)
    claim = stage.cluster.kube.get("PersistentVolumeClaim", "data-kv-0", stage.namespace.name)
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_readiness_is_healed_by_another_process(stage: Stage) -> None:
    pod = stage.pod()
    fault = ReadinessFailing(stage.namespace.name, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    wait_for_effect(stage, fault)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)  # again: the first note must stay
    elsewhere.heal(fault, stage.cluster)
    assert control(stage, pod.name)["ready_status"] == 0
    pod.wait_ready(_SOON_S)
    assert "faults" not in str(pod.read()["metadata"].get("annotations"))


def test_a_switch_that_somebody_else_turned_stays(stage: Stage) -> None:
    pod = stage.pod()
    fault = ReadinessFailing(stage.namespace.name, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    control(stage, pod.name, {"ready_status": 500})
    fault.heal(stage.cluster)
    assert control(stage, pod.name)["ready_status"] == 500


def test_a_restarted_container_ends_unreadiness(stage: Stage) -> None:
    pod = stage.pod()
    fault = ReadinessFailing(stage.namespace.name, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    wait_for_effect(stage, fault)
    control(stage, pod.name, {"exit_after_s": 0.2})  # after its answer
    wait_until(lambda: not fault.is_effective(stage.cluster), what="the restart", timeout_s=_SOON_S)
    fault.heal(stage.cluster)
    pod.wait_ready(_RECOVERED_S)


def test_what_could_show_nothing_is_refused(stage: Stage) -> None:
    pod = stage.pod()
    at = (stage.namespace.name, pod.name)
    with pytest.raises(FaultError, match="no liveness that could fail; nothing was changed"):
        LivenessFailing(*at).inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    control(stage, pod.name, {"ready": False})
    wait_until(lambda: "False" in str(_ready(pod)), what="the pod to be unready", timeout_s=_SOON_S)
    with pytest.raises(FaultError, match="no readiness that could fail"):
        ReadinessFailing(*at).inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)


def test_liveness_that_is_healed_before_the_restart_spares_the_container(stage: Stage) -> None:
    (pod,) = alive(stage).pods()
    fault = LivenessFailing(stage.namespace.name, pod.name)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    fault.heal(stage.cluster)
    assert control(stage, pod.name)["live_status"] == 0
    assert pod.read()["status"]["containerStatuses"][0]["restartCount"] == 0


def _ready(pod: Pod) -> Object:
    return next(c for c in pod.read()["status"]["conditions"] if c["type"] == "Ready")
