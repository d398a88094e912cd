"""A node is reset."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _power

_READY_WITHIN_S = 90.0


@dataclass(frozen=True)
class NodeRebooted:
    """Cut a node's power and start it again at once.

    Breaks: every process of the node; what it has in memory is gone, its disks stay.
    Kubernetes answers: the kubelet finds its pods without processes and starts them again in place
    (restart counts go up, addresses change); back within the grace, the node never turns NotReady.
    Heal: none is needed; waits until the agent and kubelet answer and the node is Ready. A node
    that is off, because this was interrupted in between, is started.
    Requires: an engine that has the nodes as containers, and node addresses that this host reaches.
    """

    node: str

    name: ClassVar[str] = "node_rebooted"
    requires: ClassVar[frozenset[str]] = _power.REQUIRES
    one_shot: ClassVar[bool] = True

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node and all on it."""
        return _power.reach_of(self.node)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Off and on."""
        node = cluster.node(self.node)
        node.kill()
        node.start()

    def is_effective(self, cluster: Cluster) -> bool:
        """Its kubelet is silent: it takes seconds to be back."""
        return not _power.kubelet_answers(cluster.node(self.node))

    def heal(self, cluster: Cluster) -> None:
        """See it back: its agent and kubelet answer, and Kubernetes says Ready."""
        _power.bring_back(cluster, self.node)
        cluster.node(self.node).wait_ready(timeout_s=_READY_WITHIN_S)
