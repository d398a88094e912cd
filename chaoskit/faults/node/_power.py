"""Whole nodes: seen from this host, and brought back by their engine."""

from chaoskit.cluster.node import Node
from chaoskit.cluster.provider import Cluster
from chaoskit.faults._handshakes import handshakes
from chaoskit.faults.fault import Reach
from chaoskit.waiting import wait_until

REQUIRES = frozenset({"node_faults", "node_agent", "node_addresses"})
SHUT_DOWN_WITHIN_S = 30
_KUBELET_PORT = 10250
_AGENT_WITHIN_S = 30.0
_KUBELET_WITHIN_S = 60.0


def reach_of(node: str) -> Reach:
    """The node, through which nothing passes; that it has a control plane cannot be excluded."""
    return Reach(nodes=frozenset({node}), cut=frozenset({node}), control_plane=True)


def kubelet_answers(node: Node) -> bool:
    """Whether the node's kubelet speaks to us."""
    return handshakes(node.address, _KUBELET_PORT)


def is_away(cluster: Cluster, name: str, *, status: str) -> bool:
    """Whether its kubelet is silent, and the engine says `status` of it."""
    node = cluster.node(name)
    return not kubelet_answers(node) and node.status == status


def bring_back(cluster: Cluster, name: str) -> None:
    """Let it run, and see its agent and its kubelet answer.

    Raises `EngineError` if the engine refuses, `WaitTimeout` if they stay silent.
    """
    node = cluster.node(name)
    if (status := node.status) == "paused":
        node.unpause()
    elif status != "running":
        node.start()
    node.wait_agent(timeout_s=_AGENT_WITHIN_S)
    wait_until(
        lambda: kubelet_answers(node),
        what=f"the kubelet of {name} ({node.address}) to answer",
        timeout_s=_KUBELET_WITHIN_S,
        next_step=f"docker logs {name}; chaoskit cluster shell {name}",
    )
