"""A node hangs."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _power


@dataclass(frozen=True)
class NodePaused:
    """Freeze every process of a node, as a hanging hypervisor does.

    Breaks: all that runs on the node; the kernel still takes its connections, nobody answers them.
    Kubernetes answers: the lease is not renewed, so the node turns NotReady after its grace; its
    pods leave the endpoints and are deleted when their tolerations end. When the node goes on, it
    knows nothing of that yet, and its processes run on until its kubelet hears of it.
    Heal: its engine lets it go on; the node's own timer stands still as well, so only the guardian
    or `chaoskit heal` does it when the harness is gone.
    Requires: an engine that has the nodes as containers, and node addresses that this host reaches.
    """

    node: str

    name: ClassVar[str] = "node_paused"
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
        """Freeze it, unless it is frozen. Its own timers stand still, too."""
        node = cluster.node(self.node)
        if node.status != "paused":
            node.pause()

    def is_effective(self, cluster: Cluster) -> bool:
        """Its kubelet is silent, and the engine says that it is paused."""
        return _power.is_away(cluster, self.node, status="paused")

    def heal(self, cluster: Cluster) -> None:
        """Let it go on, and see its agent and kubelet answer."""
        _power.bring_back(cluster, self.node)
