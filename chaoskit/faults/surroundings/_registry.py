"""The registry that a fault breaks, and what it answers to a node: not the way of injecting."""

from chaoskit.cluster.provider import Cluster
from chaoskit.cluster.registry import Answer, Registry
from chaoskit.errors import FaultError

HEALED_WITHIN_S = 10.0


def registry_of(cluster: Cluster) -> Registry:
    """The registry beside the cluster; raises `FaultError` when nobody started one."""
    registry = cluster.registry
    if registry is None:
        raise FaultError(
            "there is no private registry to break",
            subject=f"cluster {cluster.name}",
            next_step="let the scenario ask for the fixture `registry`",
        )
    return registry


def answer(cluster: Cluster) -> Answer | None:
    """What the registry answers to the first node; None when there is none."""
    registry = cluster.registry
    return None if registry is None else registry.answer_to(cluster.nodes[0])
