"""Nodes that KWOK plays: the control plane treats their pods as any, and no container runs.

They make a cluster large, for what is claimed about numbers of objects. Their pods answer nothing,
so no Service should select them.
"""

from dataclasses import dataclass, field

from chaoskit.cluster import extras
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound
from chaoskit.waiting import wait_until

KWOK = "kwok"
_LABELS = {"chaoskit.dev/fake-node": "true"}
_TAINT = "chaoskit.dev/fake-node"
_LEASES = "kube-node-lease"
_READY_WITHIN_S = 60.0
_GONE_WITHIN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class FakeNodes:
    """So many nodes, labelled and tainted: only what asks for them lands there."""

    cluster: K3sCluster = field(repr=False)
    names: tuple[str, ...]

    @property
    def pod_spec(self) -> Object:
        """What the spec of a pod needs to land there, and nowhere else."""
        toleration = {"key": _TAINT, "operator": "Exists", "effect": "NoSchedule"}
        return {"nodeSelector": dict(_LABELS), "tolerations": [toleration]}

    def remove(self) -> None:
        """Take them away, their pods, and what played them; returns when nothing of it is left.

        Their workloads are the caller's: pods that these make anew stay pending.
        """
        kube = self.cluster.kube
        for name in self.names:
            _gone(self.cluster, "Node", name)
        wait_until(
            self._have_no_pods,
            what=f"the pods of {len(self.names)} fake nodes to be gone",
            timeout_s=_GONE_WITHIN_S,
            interval_s=0.5,
            seen=lambda: len(self._pods()),
            next_step="see what makes them anew, and their finalizers",
        )
        for name in self.names:
            _gone(self.cluster, "Lease", name, _LEASES)
        wait_until(
            lambda: not kube.list("Node", labels=_LABELS),
            what="the fake nodes to be gone",
            timeout_s=_GONE_WITHIN_S,
        )
        extras.stop(self.cluster, KWOK)

    def _have_no_pods(self) -> bool:
        """Delete those that are left: no kubelet would."""
        left = self._pods()
        for pod in left:
            metadata = pod["metadata"]
            _gone(self.cluster, "Pod", metadata["name"], metadata["namespace"], grace_period_s=0)
        return not left

    def _pods(self) -> list[Object]:
        names = set(self.names)
        pods = self.cluster.kube.list("Pod")
        return [pod for pod in pods if pod["spec"].get("nodeName") in names]


def add(cluster: K3sCluster, count: int, image: str) -> FakeNodes:
    """Let KWOK's controller play so many more nodes; returns when all are Ready.

    Raises `ImageError`, `WaitTimeout`.
    """
    extras.start(cluster, KWOK, image)
    made = FakeNodes(cluster=cluster, names=tuple(f"fake-{number}" for number in range(count)))
    for name in made.names:
        cluster.kube.apply(_node(name))
    last: list[str] = []

    def attempt() -> bool:
        nonlocal last
        found = cluster.kube.list("Node", labels=_LABELS)
        last = [node["metadata"]["name"] for node in found if not _is_usable(node)]
        return len(found) == count and not last

    wait_until(
        attempt,
        what=f"{count} fake nodes to be Ready",
        timeout_s=_READY_WITHIN_S,
        seen=lambda: f"not Ready: {last}",
        next_step="kubectl -n chaoskit-kwok logs deployment/kwok",
    )
    return made


def _node(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**_LABELS, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [{"key": _TAINT, "value": "true", "effect": "NoSchedule"}]},
    }


def _is_usable(node: Object) -> bool:
    """Whether it is Ready, and the controllers have taken back their taint for nodes that are not.

    Its range of pod addresses is what its pods get theirs from.
    """
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    taints = [each["key"] for each in node["spec"].get("taints", [])]
    return ready and taints == [_TAINT] and "podCIDR" in node["spec"]


def _gone(
    cluster: K3sCluster,
    kind: str,
    name: str,
    namespace: str | None = None,
    grace_period_s: int | None = None,
) -> None:
    try:
        cluster.kube.delete(kind, name, namespace, grace_period_s=grace_period_s)
    except NotFound:
        return
