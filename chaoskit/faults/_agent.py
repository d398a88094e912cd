"""Faults that a node's agent holds: it arms its own heal timer before it breaks anything."""

from typing import Any

from chaoskit.cluster.provider import Cluster

#: The agent may wait for the end of what it stops, and for what it starts again.
_WITHIN_S = 25.0


def inject(
    cluster: Cluster, node: str, kind: str, parameters: dict[str, Any], *, heal_after_s: float
) -> None:
    """Let the agent of `node` break something of that kind. Raises `ClusterError`."""
    cluster.node(node).agent.call(
        "inject",
        kind=kind,
        parameters=parameters,
        heal_after_s=heal_after_s,
        timeout_s=_WITHIN_S,
    )


def heal(cluster: Cluster, node: str, kind: str, parameters: dict[str, Any]) -> None:
    """Let it mend that, whoever injected it. Raises `ClusterError`."""
    cluster.node(node).agent.call("heal", kind=kind, parameters=parameters, timeout_s=_WITHIN_S)
