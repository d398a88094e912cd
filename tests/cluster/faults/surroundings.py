"""Samples of the faults of what workloads rely on."""

from chaoskit.faults import ConfigMapWithdrawn, QuotaLowered, SecretWithdrawn
from chaoskit.kube.kinds import Object
from tests.cluster.faults.stage import Sample, Stage


def _created(stage: Stage, kind: str, content: Object) -> tuple[str, str]:
    namespace = stage.namespace.name
    metadata = {"name": "settings", "namespace": namespace}
    stage.cluster.kube.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})
    return namespace, "settings"


def _config_map(stage: Stage) -> ConfigMapWithdrawn:
    return ConfigMapWithdrawn(*_created(stage, "ConfigMap", {"data": {"colour": "blue"}}))


def _secret(stage: Stage) -> SecretWithdrawn:
    return SecretWithdrawn(*_created(stage, "Secret", {"stringData": {"colour": "blue"}}))


SAMPLES = {
    "config_map_withdrawn": Sample(make=_config_map),
    "quota_lowered": Sample(make=lambda stage: QuotaLowered(stage.namespace.name, {"pods": "0"})),
    "secret_withdrawn": Sample(make=_secret),
}
