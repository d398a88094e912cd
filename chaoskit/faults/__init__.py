"""Faults: what breaks, as data. One file a fault, by where it acts."""

from chaoskit.faults.control_plane.api_latency import ApiLatency
from chaoskit.faults.control_plane.watch_cut import WatchCut
from chaoskit.faults.network.bandwidth import Bandwidth
from chaoskit.faults.network.corrupt import Corrupt
from chaoskit.faults.network.dns_outage import DnsOutage
from chaoskit.faults.network.duplicate import Duplicate
from chaoskit.faults.network.latency import Latency
from chaoskit.faults.network.loss import Loss
from chaoskit.faults.network.nic_down import NicDown
from chaoskit.faults.network.partition import Partition
from chaoskit.faults.network.reorder import Reorder
from chaoskit.faults.node.cni_config_withdrawn import CniConfigWithdrawn
from chaoskit.faults.node.component_killed import ComponentKilled
from chaoskit.faults.node.component_paused import ComponentPaused
from chaoskit.faults.node.component_stopped import ComponentStopped
from chaoskit.faults.node.cpu_stressed import CpuStressed
from chaoskit.faults.node.disk_filled import DiskFilled
from chaoskit.faults.node.memory_stressed import MemoryStressed
from chaoskit.faults.node.node_cordoned import NodeCordoned
from chaoskit.faults.node.node_deleted import NodeDeleted
from chaoskit.faults.node.node_drained import NodeDrained
from chaoskit.faults.node.node_killed import NodeKilled
from chaoskit.faults.node.node_out_of_service import NodeOutOfService
from chaoskit.faults.node.node_paused import NodePaused
from chaoskit.faults.node.node_rebooted import NodeRebooted
from chaoskit.faults.node.node_stopped import NodeStopped
from chaoskit.faults.node.node_tainted import NodeTainted
from chaoskit.faults.operator.rollout_client_killed import RolloutClientKilled
from chaoskit.faults.pod.container_frozen import ContainerFrozen
from chaoskit.faults.pod.container_out_of_memory import ContainerOutOfMemory
from chaoskit.faults.pod.container_signalled import ContainerSignalled
from chaoskit.faults.pod.finalizer_stuck import FinalizerStuck
from chaoskit.faults.pod.liveness_failing import LivenessFailing
from chaoskit.faults.pod.pod_deleted import PodDeleted
from chaoskit.faults.pod.pod_evicted import PodEvicted
from chaoskit.faults.pod.pod_force_deleted import PodForceDeleted
from chaoskit.faults.pod.probes_blocked import ProbesBlocked
from chaoskit.faults.pod.readiness_failing import ReadinessFailing
from chaoskit.faults.pod.sandbox_killed import SandboxKilled
from chaoskit.faults.surroundings.config_map_withdrawn import ConfigMapWithdrawn
from chaoskit.faults.surroundings.quota_lowered import QuotaLowered
from chaoskit.faults.surroundings.registry_refusing import RegistryRefusing
from chaoskit.faults.surroundings.registry_stopped import RegistryStopped
from chaoskit.faults.surroundings.secret_withdrawn import SecretWithdrawn

__all__ = [
    "ApiLatency",
    "Bandwidth",
    "CniConfigWithdrawn",
    "ComponentKilled",
    "ComponentPaused",
    "ComponentStopped",
    "ConfigMapWithdrawn",
    "ContainerFrozen",
    "ContainerOutOfMemory",
    "ContainerSignalled",
    "Corrupt",
    "CpuStressed",
    "DiskFilled",
    "DnsOutage",
    "Duplicate",
    "FinalizerStuck",
    "Latency",
    "LivenessFailing",
    "Loss",
    "MemoryStressed",
    "NicDown",
    "NodeCordoned",
    "NodeDeleted",
    "NodeDrained",
    "NodeKilled",
    "NodeOutOfService",
    "NodePaused",
    "NodeRebooted",
    "NodeStopped",
    "NodeTainted",
    "Partition",
    "PodDeleted",
    "PodEvicted",
    "PodForceDeleted",
    "ProbesBlocked",
    "QuotaLowered",
    "ReadinessFailing",
    "RegistryRefusing",
    "RegistryStopped",
    "Reorder",
    "RolloutClientKilled",
    "SandboxKilled",
    "SecretWithdrawn",
    "WatchCut",
]
