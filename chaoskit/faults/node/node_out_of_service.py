"""A node is declared out of service."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.node._taints import NodeTaint


@dataclass(frozen=True)
class NodeOutOfService:
    """Taint a node with node.kubernetes.io/out-of-service=nodeshutdown:NoExecute.

    Breaks: the pods there that do not tolerate it: they are deleted. It is meant for a node that
    is off; on one that still runs, a volume may get written from two nodes.
    Kubernetes answers: on a NotReady node those pods are deleted by force and their volumes
    detached at once, so that a StatefulSet's members start elsewhere without waiting for the node.
    Heal: takes away this taint and no other. What was deleted is made anew by its owners.
    Requires: nodes whose objects may be changed. Refused where the taint is there already.
    """

    node: str

    name: ClassVar[str] = "node_out_of_service"
    requires: ClassVar[frozenset[str]] = frozenset({"node_faults"})
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Add the taint. Raises `FaultError` when it is there, and every refusal."""
        self._taint.put(cluster.kube)

    def is_effective(self, cluster: Cluster) -> bool:
        """A list of nodes has it, and no pod that does not tolerate it stays there."""
        return self._taint.is_effective(cluster.kube)

    def heal(self, cluster: Cluster) -> None:
        """Take it away, and see it gone. Raises `WaitTimeout`."""
        mend(lambda: self._taint.take(cluster.kube), what=f"our taint to leave {self.node}")

    @property
    def _taint(self) -> NodeTaint:
        key = "node.kubernetes.io/out-of-service"
        return NodeTaint(self.name, self.node, key, "nodeshutdown", "NoExecute")
