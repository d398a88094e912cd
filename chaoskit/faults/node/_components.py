"""Kubernetes' components on a node, each a process of its own."""

from typing import Any

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import KubernetesError, UsageError
from chaoskit.faults.fault import Reach
from chaoskit.waiting import wait_until

REQUIRES = frozenset({"node_agent", "separate_components"})
_EVERYWHERE = ("containerd", "kube-proxy", "kubelet")
_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_SERVING_WITHIN_S = 60.0
_API_ANSWERS_WITHIN_S = 1.0


def checked(component: str) -> None:
    """Raise `UsageError` for what is no component of any node."""
    if component not in (*_EVERYWHERE, *_CONTROL_PLANE):
        raise UsageError(
            "no such component",
            subject=component,
            next_step=f"one of {', '.join(_EVERYWHERE)} on any node, "
            f"{', '.join(_CONTROL_PLANE)} on servers",
        )


def reach_of(node: str, component: str) -> Reach:
    """The node; without etcd or its own process the API does not answer."""
    without_api = component in ("etcd", "kube-apiserver")
    return Reach(nodes=frozenset({node}), control_plane=without_api)


def state_of(cluster: Cluster, node: str, component: str) -> dict[str, Any]:
    """Its processes, and whether it serves: read from the node's kernel and asked of itself.

    Never through the API, which may be what is gone.
    """
    return cluster.node(node).agent.call("component_state", component=component)


def wait_serving(cluster: Cluster, node: str, component: str, *, least_age_s: float = 0.0) -> None:
    """Wait until it serves, by a process of that age; for the control plane, the API as well.

    Raises `WaitTimeout`.
    """
    last: dict[str, Any] = {}

    def serves() -> bool:
        last.update(state_of(cluster, node, component))
        return (
            last["serving"]
            and all(one["age_s"] >= least_age_s for one in last["processes"])
            and (component not in _CONTROL_PLANE or _api_is_ready(cluster))
        )

    wait_until(
        serves,
        what=f"{component} on {node} to serve again",
        timeout_s=_SERVING_WITHIN_S + least_age_s,
        seen=lambda: last,
        next_step=f"chaoskit cluster shell {node}, then: k3s component list",
    )


def _api_is_ready(cluster: Cluster) -> bool:
    try:
        return cluster.kube.raw_get("/readyz", read_timeout_s=_API_ANSWERS_WITHIN_S) == "ok"
    except KubernetesError:  # it says which checks fail, or nothing
        return False
