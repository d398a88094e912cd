"""Samples of the faults of pods that are made through the Kubernetes API."""

from chaoskit.faults import (
    FinalizerStuck,
    LivenessFailing,
    PodDeleted,
    PodEvicted,
    PodForceDeleted,
    ReadinessFailing,
)
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from tests.cluster.faults.stage import Sample, Stage

_READY_WITHIN_S = 90.0
_LIVENESS = {
    "httpGet": {"path": "/live", "port": "http"},
    "periodSeconds": 1,
    "failureThreshold": 2,
}


def _pod(stage: Stage) -> tuple[str, str]:
    return stage.namespace.name, stage.pod().name


def alive(stage: Stage) -> Deployment:
    """One specimen pod with a liveness probe."""
    manifests = specimen_manifests.web(stage.namespace.name, "alive", replicas=1)
    container = manifests[1]["spec"]["template"]["spec"]["containers"][0]
    container["livenessProbe"] = _LIVENESS
    deployment = Deployment.named(stage.cluster.kube, stage.namespace.name, "alive")
    deployment.apply(manifests[1])
    deployment.wait_complete(_READY_WITHIN_S)
    return deployment


def _liveness_failing(stage: Stage) -> LivenessFailing:
    (pod,) = alive(stage).pods()
    return LivenessFailing(stage.namespace.name, pod.name)


SAMPLES = {
    "finalizer_stuck": Sample(make=lambda stage: FinalizerStuck(*_pod(stage))),
    # Two failed probes a second apart, the preStop hook, the drain, and the kubelet's word of it.
    "liveness_failing": Sample(make=_liveness_failing, effective_within_s=30.0),
    "pod_deleted": Sample(make=lambda stage: PodDeleted(*_pod(stage))),
    "pod_evicted": Sample(make=lambda stage: PodEvicted(*_pod(stage))),
    "pod_force_deleted": Sample(make=lambda stage: PodForceDeleted(*_pod(stage))),
    "readiness_failing": Sample(make=lambda stage: ReadinessFailing(*_pod(stage))),
}
