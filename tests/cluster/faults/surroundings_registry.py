"""Samples of the faults of the private registry."""

from chaoskit.cluster import images
from chaoskit.faults import RegistryRefusing, RegistryStopped
from chaoskit.faults.fault import Fault
from tests.cluster.faults.stage import Sample, Stage


def _beside_a_registry(stage: Stage, fault: Fault) -> Fault:
    (image,) = images.ensure(stage.cluster.client, ("registry",))["registry"]
    stage.cluster.start_registry(image)
    return fault


SAMPLES = {
    "registry_stopped": Sample(make=lambda stage: _beside_a_registry(stage, RegistryStopped())),
    "registry_refusing": Sample(make=lambda stage: _beside_a_registry(stage, RegistryRefusing())),
}
