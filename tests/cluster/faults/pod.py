"""Samples of the faults of pods and their containers."""

from chaoskit.faults import (
    ContainerFrozen,
    ContainerOutOfMemory,
    ContainerSignalled,
    ProbesBlocked,
    SandboxKilled,
)
from tests.cluster.faults.stage import Sample

SAMPLES = {
    "container_frozen": Sample(make=lambda stage: ContainerFrozen.of(stage.small)),
    "container_out_of_memory": Sample(make=lambda stage: ContainerOutOfMemory.of(stage.small)),
    "container_signalled": Sample(make=lambda stage: ContainerSignalled.of(stage.small)),
    "probes_blocked": Sample(
        make=lambda stage: ProbesBlocked(stage.namespace.name, stage.pod().name)
    ),
    "sandbox_killed": Sample(make=lambda stage: SandboxKilled.of(stage.small)),
}
