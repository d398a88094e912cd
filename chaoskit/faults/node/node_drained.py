"""A node is drained."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.node._cordon import cordon, is_cordoned, uncordon
from chaoskit.faults.node._drain import drain, require_drainable, strangers, to_go


@dataclass(frozen=True)
class NodeDrained:
    """Drain a node, as `kubectl drain --ignore-daemonsets --delete-emptydir-data` does.

    Breaks: every pod on the node but static ones and those of daemon sets: cordoned, then evicted;
    where a disruption budget says no, again until it says yes. Data in emptyDir volumes is lost.
    Kubernetes answers: the owners make new pods, on other nodes.
    Heal: uncordoned; nothing moves back by itself.
    Requires: the node agent, and nodes whose objects may be changed. Refused on a node that is
    cordoned already, or has pods without a controller (unless `bare_pods`: they are gone for good).
    """

    node: str
    bare_pods: bool = False
    drained_within_s: float = 120.0

    name: ClassVar[str] = "node_drained"
    requires: ClassVar[frozenset[str]] = frozenset({"node_faults", "node_agent"})
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
        """Cordon and empty it; returns when its pods are gone.

        Raises `FaultError` before anything was changed, `WaitTimeout` with the pods that did not
        go and why, and every other refusal.
        """
        require_drainable(cluster.kube, self.node, bare_pods=self.bare_pods)
        cordon(cluster.kube, self.name, self.node)
        drain(cluster.kube, self.node, self.drained_within_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """It is tainted as unschedulable, no pod is bound to it, and no pod's process lives there
        as its kernel sees it, but for those that stay.
        """
        kube = cluster.kube
        if not is_cordoned(kube, self.node) or to_go(kube, self.node):
            return False
        return not strangers(kube, cluster.node(self.node))

    def heal(self, cluster: Cluster) -> None:
        """Uncordon it, and see the taint gone. Raises `WaitTimeout`."""
        mend(
            lambda: uncordon(cluster.kube, self.name, self.node),
            what=f"node {self.node} to be schedulable again",
        )
