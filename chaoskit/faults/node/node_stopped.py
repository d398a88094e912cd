"""A node is shut down."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _power


@dataclass(frozen=True)
class NodeStopped:
    """Ask a node to shut down, and leave it off.

    Breaks: all that runs on the node. Its components end in order; its pods are not drained before.
    Kubernetes answers: as to a power cut. The lease is not renewed, so the node turns NotReady
    after its grace; its pods are deleted when their tolerations end, and stay Terminating.
    Heal: its engine starts the node again, with disks, name and address; no timer of the node's
    own can, so only the guardian or `chaoskit heal` does it when the harness is gone.
    Requires: an engine that has the nodes as containers, and node addresses that this host reaches.
    """

    node: str

    name: ClassVar[str] = "node_stopped"
    requires: ClassVar[frozenset[str]] = _power.REQUIRES
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node and all on it."""
        return _power.reach_of(self.node)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Shut it down, unless it is off. The node cannot heal that by itself."""
        node = cluster.node(self.node)
        if node.status != "exited":
            node.stop(timeout_s=_power.SHUT_DOWN_WITHIN_S)

    def is_effective(self, cluster: Cluster) -> bool:
        """Its kubelet is silent, and the engine says that it has ended."""
        return _power.is_away(cluster, self.node, status="exited")

    def heal(self, cluster: Cluster) -> None:
        """Start it, and see its agent and kubelet answer."""
        _power.bring_back(cluster, self.node)
