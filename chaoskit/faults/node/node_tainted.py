"""A node bears a taint."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.node._taints import NodeTaint


@dataclass(frozen=True)
class NodeTainted:
    """Taint a node with `key`=`value`:`effect`, as `kubectl taint` does.

    Breaks: NoSchedule keeps new pods without a toleration off the node; NoExecute makes those that
    run there go as well.
    Kubernetes answers: NoExecute pods are deleted, at once or when their tolerationSeconds end; the
    owners make new ones elsewhere. A daemon set's pod goes too and does not come back meanwhile.
    Heal: takes away this taint and no other; one whose value somebody changed stays.
    Requires: nodes whose objects may be changed. Refused where a taint of that key and effect is.
    """

    node: str
    key: str = "faults.chaoskit.dev/tainted"
    value: str = ""
    effect: Literal["NoSchedule", "NoExecute"] = "NoSchedule"

    name: ClassVar[str] = "node_tainted"
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
        """Add the taint. Raises `FaultError` when one like it is there, and every refusal."""
        self._taint.put(cluster.kube)

    def is_effective(self, cluster: Cluster) -> bool:
        """A list of nodes has it; under NoExecute, no pod that does not tolerate it stays there.

        Under NoSchedule there is no second path: that no pod comes cannot be seen.
        """
        return self._taint.is_effective(cluster.kube)

    def heal(self, cluster: Cluster) -> None:
        """Take it away, and see it gone. Raises `WaitTimeout`."""
        mend(lambda: self._taint.take(cluster.kube), what=f"our taint to leave {self.node}")

    @property
    def _taint(self) -> NodeTaint:
        return NodeTaint(self.name, self.node, self.key, self.value, self.effect)
