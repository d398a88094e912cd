"""A node loses its network configuration."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.waiting import wait_until

_READ_WITHIN_S = 15.0


@dataclass(frozen=True)
class CniConfigWithdrawn:
    """Move the network plug-in's configuration of a node away.

    Breaks: no sandbox can be created on the node; pods that run keep their network.
    Kubernetes answers: new pods stay in ContainerCreating; within some 15 s the kubelet turns the
    node NotReady (NetworkPluginNotReady), so its pods leave the endpoints though they work.
    Heal: put back, and read again by the container runtime; by the node agent's own timer when
    nobody asks for it. A node that is started again writes it anew.
    Requires: the node agent.
    """

    node: str

    name: ClassVar[str] = "cni_config_withdrawn"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
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
        """Arm the agent's heal timer, then move it away."""
        _agent.inject(
            cluster, self.node, "cni_config_withdrawn", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """The container runtime itself says that it has no network to give."""
        return not self._has_network(cluster)

    def heal(self, cluster: Cluster) -> None:
        """Put it back, and see the container runtime take it up."""
        _agent.heal(cluster, self.node, "cni_config_withdrawn", self._parameters)
        wait_until(
            lambda: self._has_network(cluster),
            what=f"the container runtime of {self.node} to have a network again",
            timeout_s=_READ_WITHIN_S,
            next_step=f"chaoskit cluster shell {self.node}, then: ls "
            "/var/lib/rancher/k3s/agent/etc/cni/net.d; is containerd alive?",
        )

    @property
    def _parameters(self) -> dict[str, str]:
        return {}

    def _has_network(self, cluster: Cluster) -> bool:
        state = cluster.node(self.node).agent.call("runtime_state")
        return any(one["type"] == "NetworkReady" and one["status"] for one in state["conditions"])
