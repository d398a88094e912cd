"""Where packets come from and go to: nodes, the control plane, pods, addresses; by their names."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Reach

#: Stands for every node that has a part of the control plane.
CONTROL_PLANE = "control plane"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One end of a path. `node` is "" for an address that is none of the cluster's own.

    A node stands for its own processes and for all of its pods; `pod_uid` is set for a pod, and
    then `node` is where it runs.
    """

    name: str
    address: str
    node: str = ""
    pod_uid: str = ""

    def ranges(self, cluster: Cluster) -> list[str]:
        """The addresses that packets from or to it bear."""
        if not self.node or self.pod_uid:
            return [self.address]
        spec = cluster.kube.get("Node", self.node)["spec"]
        return [self.address, *spec.get("podCIDRs", [])]


def check_places(names: Sequence[str], *, what: str, at_least: int = 1) -> None:
    """Raise `UsageError` unless these can be names of places."""
    if len(names) < at_least or len(set(names)) < len(names) or not all(names):
        raise UsageError(
            f"{what} are not usable",
            seen=names,
            next_step=f"name nodes, {CONTROL_PLANE!r}, pods (namespace/name) or addresses, "
            f"each once, at least {at_least}",
        )


def places(cluster: Cluster, names: Sequence[str]) -> list[Place]:
    """The places of these names; raises `ClusterError` or `NotFound` for one that is not there."""
    found: list[Place] = []
    for name in names:
        if name == CONTROL_PLANE:
            servers = [node.name for node in cluster.nodes if node.role == "server"]
            found += places(cluster, [each for each in servers if each not in names])
        elif is_address(name):
            found.append(Place(name=name, address=name))
        elif "/" in name:
            found.append(pod_place(cluster, *name.split("/", 1)))
        else:
            found.append(Place(name=name, address=cluster.node(name).address, node=name))
    return found


def pod_place(cluster: Cluster, namespace: str, pod: str) -> Place:
    """The place of a pod. Raises `NotFound`, and `UsageError` for one without its own network."""
    item = cluster.kube.get("Pod", pod, namespace)
    address, node = item.get("status", {}).get("podIP"), item["spec"].get("nodeName")
    if not address or item["spec"].get("hostNetwork"):
        raise UsageError(
            "has no address of its own",
            subject=f"Pod {namespace}/{pod}",
            seen=f"podIP {address}, hostNetwork {bool(item['spec'].get('hostNetwork'))}",
            next_step="name a running pod with a network of its own, or its node",
        )
    # The kubelet names a static pod's cgroup by the hash in this annotation, not by the UID.
    annotations = item["metadata"].get("annotations") or {}
    uid = annotations.get("kubernetes.io/config.hash") or item["metadata"]["uid"]
    return Place(name=f"{namespace}/{pod}", address=address, node=node, pod_uid=uid)


def a_pod_on(cluster: Cluster, node: str) -> list[Place]:
    """One pod that runs on that node with a network of its own, if there is any."""
    for item in cluster.kube.list("Pod", fields=f"spec.nodeName={node},status.phase=Running"):
        if not item["spec"].get("hostNetwork") and "deletionTimestamp" not in item["metadata"]:
            return [pod_place(cluster, item["metadata"]["namespace"], item["metadata"]["name"])]
    return []


def nodes_named(cluster: Cluster, names: Sequence[str]) -> list[str]:
    """The nodes that a fault with these places may have touched, without asking Kubernetes.

    A pod may have run anywhere, and is perhaps gone: all nodes.
    """
    if any("/" in name and not is_address(name) for name in names):
        return [node.name for node in cluster.nodes]
    return [
        node.name
        for node in cluster.nodes
        if node.name in names or (node.role == "server" and CONTROL_PLANE in names)
    ]


def reach_of(names: Sequence[str]) -> Reach:
    """The nodes and the namespaces of pods among these names."""
    pods = [name for name in names if "/" in name and not is_address(name)]
    plain = [name for name in names if "/" not in name and not is_address(name)]
    return Reach(
        nodes=frozenset(plain) - {CONTROL_PLANE},
        namespaces=frozenset(name.split("/", 1)[0] for name in pods),
        control_plane=CONTROL_PLANE in names,
    )


def is_address(name: str) -> bool:
    """Whether it is an address or a range of them."""
    try:
        ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
    return True


_LONGEST_MS = 10_000.0


def check_delay(delay_ms: float, jitter_ms: float = 0.0) -> None:
    """Raise `UsageError` for a delay that would not be seen, or never end."""
    if not 5.0 <= delay_ms <= _LONGEST_MS or not 0.0 <= jitter_ms <= delay_ms:
        raise UsageError(
            "is no delay that can be injected and seen",
            subject=f"{delay_ms:g} ms, varied by {jitter_ms:g} ms",
            next_step=f"give 5 to {_LONGEST_MS:g} ms, and no more jitter than delay",
        )


def check_share(share: float, *, least: float, most: float = 1.0) -> None:
    """Raise `UsageError` for what is no share, or too small a one to be seen."""
    if not least <= share <= most:
        raise UsageError(
            "is no share that can be injected and seen",
            subject=f"{share:g}",
            next_step=f"give {least:g} to {most:g}",
        )
