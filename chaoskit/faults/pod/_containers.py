"""One container of one pod: what names it, how it is seen, when it is back."""

from typing import Any, Protocol

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError, UsageError
from chaoskit.faults.fault import Reach
from chaoskit.kube.refusal import Transient
from chaoskit.waiting import wait_until

REQUIRES = frozenset({"node_agent"})
_BACK_WITHIN_S = 120.0


class Running(Protocol):
    """A pod, as workloads have them."""

    def read(self) -> dict[str, Any]:
        """The object now."""
        ...


def names_of(pod: Running, container: str | None) -> dict[str, str]:
    """What names this very container of the pod, its only one by default.

    A restarted one has another id, so that no later one is hit. Raises `UsageError` unless it runs.
    """
    item = pod.read()
    metadata, statuses = item["metadata"], item["status"].get("containerStatuses", ())
    known = [one["name"] for one in statuses]
    if container is None and len(known) == 1:
        container = known[0]
    status = next((one for one in statuses if one["name"] == container), None)
    if status is None or "running" not in status.get("state", {}):
        raise UsageError(
            "is no running container of this pod",
            subject=f"container {container} of {metadata['namespace']}/{metadata['name']}",
            seen=f"there are {', '.join(known) or 'none'}",
            next_step="wait until the pod is ready; name one if it has several",
        )
    return {
        "node": item["spec"]["nodeName"],
        "namespace": metadata["namespace"],
        "pod": metadata["name"],
        "pod_uid": metadata["uid"],
        "container": str(container),
        "container_id": status["containerID"].rpartition("/")[2],
    }


class Named(Protocol):
    """A fault on a container."""

    @property
    def node(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def pod(self) -> str: ...

    @property
    def pod_uid(self) -> str: ...

    @property
    def container(self) -> str: ...

    @property
    def container_id(self) -> str: ...


def target_of(fault: Named) -> str:
    """The container in a few words."""
    return f"{fault.container} of {fault.namespace}/{fault.pod}"


def reach_of(fault: Named) -> Reach:
    """The pod's namespace, where its clients and fellows are, and nothing else of the node."""
    return Reach(namespaces=frozenset({fault.namespace}))


def seen(cluster: Cluster, fault: Named, *, container_id: str | None = None) -> dict[str, Any]:
    """Its processes and its pod's sandbox, from the node's cgroups; empty when it has ended."""
    return cluster.node(fault.node).agent.call(
        "container_state", pod_uid=fault.pod_uid, container_id=container_id or fault.container_id
    )


def status_of(cluster: Cluster, fault: Named) -> dict[str, Any] | None:
    """What the API says of the container, now another one perhaps; None if the pod has gone."""
    pod = cluster.kube.find("Pod", fault.pod, fault.namespace)
    if pod is None or pod["metadata"]["uid"] != fault.pod_uid:
        return None
    for status in pod["status"].get("containerStatuses", ()):
        if status["name"] == fault.container:
            found: dict[str, Any] = status
            return found
    return {}


def wait_back(cluster: Cluster, fault: Named) -> None:
    """Wait until the container runs, this one or its successor, in a sandbox; or its pod has gone.

    Raises `WaitTimeout`.
    """
    last: list[object] = ["not asked yet"]

    def is_back() -> bool:
        try:
            status = status_of(cluster, fault)
        except Transient as error:
            last[0] = error
            return False
        last[0] = status
        if status is None:
            return True
        if "running" not in status.get("state", {}):
            return False
        now = status["containerID"].rpartition("/")[2]
        try:
            node = seen(cluster, fault, container_id=now)  # the API may not have heard of its end
        except ClusterError as error:
            last[0] = error
            return False
        return bool(node["processes"]) and bool(node["sandbox"])

    wait_until(
        is_back,
        what=f"{target_of(fault)} to run again",
        timeout_s=_BACK_WITHIN_S,
        interval_s=0.2,
        seen=lambda: last[0],
        next_step=f"kubectl -n {fault.namespace} describe pod {fault.pod}; "
        "after several ends in a row the kubelet waits longer each time",
    )
