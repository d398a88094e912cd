"""Samples of the faults of nodes: the whole of one, its components, its resources."""

from chaoskit.faults import (
    CniConfigWithdrawn,
    ComponentKilled,
    ComponentPaused,
    ComponentStopped,
    CpuStressed,
    DiskFilled,
    MemoryStressed,
    NodeKilled,
    NodePaused,
    NodeRebooted,
    NodeStopped,
)
from tests.cluster.faults.stage import SCRATCH, Sample

SAMPLES = {
    "cni_config_withdrawn": Sample(
        make=lambda stage: CniConfigWithdrawn(stage.agent.name), whole_node=True
    ),
    "component_killed": Sample(
        make=lambda stage: ComponentKilled(stage.agent.name, "kube-proxy"), whole_node=True
    ),
    "component_paused": Sample(
        make=lambda stage: ComponentPaused(stage.agent.name, "containerd"), whole_node=True
    ),
    "component_stopped": Sample(
        make=lambda stage: ComponentStopped(stage.agent.name, "kubelet"), whole_node=True
    ),
    "cpu_stressed": Sample(make=lambda stage: CpuStressed(stage.agent.name, share=0.3)),
    "disk_filled": Sample(make=lambda stage: DiskFilled.of(stage.small, SCRATCH)),
    "memory_stressed": Sample(make=lambda stage: MemoryStressed(stage.agent.name, 64)),
    "node_killed": Sample(make=lambda stage: NodeKilled(stage.agent.name), whole_node=True),
    "node_paused": Sample(make=lambda stage: NodePaused(stage.agent.name), whole_node=True),
    "node_rebooted": Sample(make=lambda stage: NodeRebooted(stage.agent.name), whole_node=True),
    "node_stopped": Sample(make=lambda stage: NodeStopped(stage.agent.name), whole_node=True),
}
