"""Packets arrive damaged."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _netem
from chaoskit.faults.network._places import check_share


@dataclass(frozen=True)
class Corrupt:
    """Flip a bit in `share` of the packets that leave a node by its interface, each by chance.

    Breaks: packets whose checksum shows it, which is as if they were lost; few slip through.
    Kubernetes answers: nothing.
    Heal: the interface's queueing is the default again; by the agent's own timer when nobody asks.
    Requires: the node agent, a kernel with netem, and another node to measure with.
    """

    node: str
    share: float

    name: ClassVar[str] = "corrupt"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent", "netem"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        check_share(self.share, least=_netem.LEAST_SHARE)

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Put netem on the interface."""
        _netem.put(cluster, self.node, "corrupt_share", self.share, heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Some datagrams do not come, as their checksum is wrong."""
        return _netem.flow_from(cluster, self.node, self.share).lost_share > 0

    def heal(self, cluster: Cluster) -> None:
        """Take netem away. Raises `ClusterError` if the agent cannot."""
        _netem.take_away(cluster, self.node, "corrupt_share", self.share)
