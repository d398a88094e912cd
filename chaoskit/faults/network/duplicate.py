"""Packets arrive twice."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _netem
from chaoskit.faults.network._places import check_share


@dataclass(frozen=True)
class Duplicate:
    """Send `share` of the packets that leave a node by its interface twice, each by chance.

    Breaks: nothing for TCP, which drops the second; protocols over UDP see a message twice.
    Kubernetes answers: nothing.
    Heal: the interface's queueing is the default again; by the agent's own timer when nobody asks.
    Requires: the node agent, a kernel with netem, and another node to measure with.
    """

    node: str
    share: float

    name: ClassVar[str] = "duplicate"
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
        _netem.put(cluster, self.node, "duplicate_share", self.share, heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Some datagrams come twice."""
        return _netem.flow_from(cluster, self.node, self.share).duplicates > 0

    def heal(self, cluster: Cluster) -> None:
        """Take netem away. Raises `ClusterError` if the agent cannot."""
        _netem.take_away(cluster, self.node, "duplicate_share", self.share)
