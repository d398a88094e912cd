"""A node's network interface goes down."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network._packets import answers
from chaoskit.waiting import wait_until

_HEALED_WITHIN_S = 15.0


@dataclass(frozen=True)
class NicDown:
    """Take down the interface `interface` of a node.

    Breaks: everything that enters or leaves the node; its processes go on, unseen.
    Kubernetes answers: the lease is not renewed, so the node turns NotReady after its grace,
    its pods leave the endpoints at once, and are deleted when their tolerations end.
    Heal: link up, addresses, default route and pod routes as they were; by the node agent's own
    timer when nobody asks for it.
    Requires: the node agent, and node addresses that this host reaches.
    """

    node: str
    interface: str = "eth0"

    name: ClassVar[str] = "nic_down"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent", "node_addresses"})
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The node."""
        return self.node

    @property
    def reach(self) -> Reach:
        """The node, which nothing passes any more."""
        return Reach(nodes=frozenset({self.node}), cut=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then cut the link."""
        cluster.node(self.node).agent.call(
            "inject",
            kind="link_down",
            parameters={"interface": self.interface},
            heal_after_s=heal_after_s,
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """The link is down as the node sees it, and no packet comes back as we see it."""
        node = cluster.node(self.node)
        if answers(node.address):
            return False
        state = node.agent.call("link_state", interface=self.interface)
        return bool(state["operstate"] == "down")

    def heal(self, cluster: Cluster) -> None:
        """Put link, addresses and routes back, and see packets pass again.

        Raises `ClusterError` if the agent cannot, `WaitTimeout` if no packet comes back.
        """
        node = cluster.node(self.node)
        node.agent.call(
            "heal",
            kind="link_down",
            parameters={"interface": self.interface},
            timeout_s=_HEALED_WITHIN_S,
        )
        wait_until(
            lambda: answers(node.address),
            what=f"packets from {self.node} ({node.address}) after its link came up",
            timeout_s=_HEALED_WITHIN_S,
            next_step=f"chaoskit cluster shell {self.node}, then: ip link; ip route",
        )
