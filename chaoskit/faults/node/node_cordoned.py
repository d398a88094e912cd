"""A node is cordoned."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.node._cordon import cordon, is_cordoned, uncordon


@dataclass(frozen=True)
class NodeCordoned:
    """Cordon a node, as `kubectl cordon` does.

    Breaks: room: no new pod is bound to the node. Those that run there run on.
    Kubernetes answers: the taint node.kubernetes.io/unschedulable, which daemon sets tolerate.
    Heal: uncordoned, unless somebody else did so meanwhile; the taint is seen to be gone.
    Requires: nodes whose objects may be changed. One that is cordoned already is refused.
    """

    node: str

    name: ClassVar[str] = "node_cordoned"
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
        """Cordon it. Raises `FaultError` when it is, `NotFound`, and every other refusal."""
        cordon(cluster.kube, self.name, self.node)

    def is_effective(self, cluster: Cluster) -> bool:
        """The controller manager has tainted it as unschedulable, which is what pods then meet."""
        return is_cordoned(cluster.kube, self.node)

    def heal(self, cluster: Cluster) -> None:
        """Uncordon it, and see the taint gone. Raises `WaitTimeout`."""
        mend(
            lambda: uncordon(cluster.kube, self.name, self.node),
            what=f"node {self.node} to be schedulable again",
        )
