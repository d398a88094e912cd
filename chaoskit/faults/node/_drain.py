"""Emptying a node by evictions, as `kubectl drain` does."""

from chaoskit.cluster.node import Node
from chaoskit.faults._objects import annotation, is_ending, refuse
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object, Objects
from chaoskit.kube.refusal import Conflict, NotFound, Transient
from chaoskit.waiting import wait_until

_EVICTED_EVERY_S = 0.5
_TOO_MANY_REQUESTS = 429


def require_drainable(kube: Kube, node: str, *, bare_pods: bool) -> None:
    """Raise `FaultError` when there are pods that nobody would make again, unless that is meant."""
    bare = [_name(pod) for pod in to_go(kube, node) if _is_bare(pod)]
    if bare and not bare_pods:
        raise refuse(
            f"node {node}",
            "runs pods that belong to no controller and would not come back",
            seen=", ".join(bare),
            next_step="delete them, or give bare_pods=True",
        )


def drain(kube: Kube, node: str, timeout_s: float) -> None:
    """Evict all that has to go, again and again where a budget says no, until it is gone.

    Raises `WaitTimeout` with who is left and what the API said, and every other refusal at once.
    """
    left: dict[str, str] = {}

    def is_empty() -> bool:
        left.clear()
        for pod in to_go(kube, node):
            left[_name(pod)] = "is terminating" if is_ending(pod) else _evict(kube, pod)
        return not left

    wait_until(
        is_empty,
        what=f"node {node} to be drained",
        timeout_s=timeout_s,
        interval_s=_EVICTED_EVERY_S,
        seen=lambda: "; ".join(f"{name}: {why}" for name, why in left.items()),
        next_step="see the disruption budgets of these pods, or give more time",
    )


def to_go(kube: Kube, node: str) -> Objects:
    """The pods on it but for static ones and those of daemon sets, which stay."""
    return [pod for pod in _pods_on(kube, node) if not _stays(pod)]


def strangers(kube: Kube, node: Node) -> set[str]:
    """UIDs of pods that have processes on it, as its kernel sees them, and that should not."""
    containers = node.agent.call("processes")["containers"]
    staying = {uid for pod in _pods_on(kube, node.name) if _stays(pod) for uid in _uids(pod)}
    return {each["pod_uid"] for each in containers} - staying


def _evict(kube: Kube, pod: Object) -> str:
    metadata = pod["metadata"]
    try:
        kube.evict(metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except Transient as error:
        if error.status != _TOO_MANY_REQUESTS:
            raise
        return error.message
    except (NotFound, Conflict):
        return "went meanwhile"  # the next look sees what is there now
    return "was asked to go"


def _pods_on(kube: Kube, node: str) -> Objects:
    return kube.list("Pod", fields=f"spec.nodeName={node}")


def _stays(pod: Object) -> bool:
    return _is_static(pod) or (_controller(pod) == "DaemonSet" and not _is_finished(pod))


def _is_bare(pod: Object) -> bool:
    return _controller(pod) is None and not _is_finished(pod) and not is_ending(pod)


def _is_static(pod: Object) -> bool:
    return annotation(pod, "kubernetes.io/config.mirror") is not None


def _uids(pod: Object) -> set[str]:
    """A static pod's processes bear the hash of its file instead of its object's UID."""
    return {pod["metadata"]["uid"], annotation(pod, "kubernetes.io/config.hash") or ""}


def _is_finished(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def _controller(pod: Object) -> str | None:
    for each in pod["metadata"].get("ownerReferences", ()):
        if each.get("controller"):
            return str(each["kind"])
    return None


def _name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
