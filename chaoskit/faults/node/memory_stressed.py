"""A node's memory is taken."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach


@dataclass(frozen=True)
class MemoryStressed:
    """Take `megabytes` of a node's memory and keep them.

    Breaks: what is left for others. Nodes that are containers share the machine's memory: at most
    a quarter of what the machine has available is taken, and the kernel would kill the taker first.
    Kubernetes answers: kubelets see the machine's memory, so none evicts before the machine itself
    runs short; where a kubelet's eviction threshold is near, it turns the node to MemoryPressure.
    Heal: given back; by the node agent's own timer when nobody asks for it.
    Requires: the node agent.
    """

    node: str
    megabytes: int

    name: ClassVar[str] = "memory_stressed"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.megabytes < 1:
            raise UsageError("megabytes from 1", subject=f"fault {self.name}", seen=self.megabytes)

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then take it."""
        _agent.inject(
            cluster, self.node, "memory_stressed", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """It is resident, by the kernel's account."""
        state = cluster.node(self.node).agent.call("stress_state")
        return bool(state["memory_bytes"] >= self.megabytes << 20)

    def heal(self, cluster: Cluster) -> None:
        """Give it back."""
        _agent.heal(cluster, self.node, "memory_stressed", self._parameters)

    @property
    def _parameters(self) -> dict[str, int]:
        return {"megabytes": self.megabytes}
