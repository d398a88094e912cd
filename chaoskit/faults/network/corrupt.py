"""Packets arrive damaged."""

import math
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network._flows import flows
from chaoskit.faults.network._path import INTERFACE
from chaoskit.faults.network._places import check_share
from chaoskit.faults.network._rates import ends_from

_LEAST_SHARE = 0.01
_EXPECTED = 30


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
        check_share(self.share, least=_LEAST_SHARE)

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
        cluster.node(self.node).agent.call(
            "inject",
            kind="netem",
            parameters={"interface": INTERFACE, "corrupt_share": self.share},
            heal_after_s=heal_after_s,
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """Some datagrams do not come, as their checksum is wrong."""
        count = math.ceil(_EXPECTED / self.share)
        ends = ends_from(cluster, self.node)
        (flow,) = flows(cluster, [ends], count=count, spacing_ms=0.1)
        return flow.lost_share > 0

    def heal(self, cluster: Cluster) -> None:
        """Take netem away. Raises `ClusterError` if the agent cannot."""
        cluster.node(self.node).agent.call(
            "heal", kind="netem", parameters={"interface": INTERFACE}
        )
