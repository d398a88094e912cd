"""A node's processors are busy."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach


@dataclass(frozen=True)
class CpuStressed:
    """Keep `workers` processors of a node busy, each for `share` of the time.

    Breaks: whatever needs processors gets them later. Nodes that are containers share the machine's
    with each other and with the harness: so at most 0.8 of all of them can be taken, and other
    nodes may suffer as well; the driver's health says whether the harness did.
    Kubernetes answers: nothing by itself; probes, leases and elections may run into timeouts.
    Heal: the workers end; by the node agent's own timer when nobody asks for it.
    Requires: the node agent.
    """

    node: str
    workers: int = 1
    share: float = 0.5

    name: ClassVar[str] = "cpu_stressed"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.workers < 1 or not 0 < self.share <= 1:
            raise UsageError(
                "workers from 1, share above 0 and at most 1",
                subject=f"fault {self.name}",
                seen=f"{self.workers} at {self.share}",
            )

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node; see above for the others."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then start the workers."""
        _agent.inject(
            cluster, self.node, "cpu_stressed", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """By the kernel's account they run, or wait to run, half of the time wanted or more."""
        state = cluster.node(self.node).agent.call("stress_state")
        wanted = self.workers * self.share
        return bool(state["cores"] + state["waiting_cores"] >= wanted / 2)

    def heal(self, cluster: Cluster) -> None:
        """End them."""
        _agent.heal(cluster, self.node, "cpu_stressed", self._parameters)

    @property
    def _parameters(self) -> dict[str, float]:
        return {"workers": self.workers, "share": self.share}
