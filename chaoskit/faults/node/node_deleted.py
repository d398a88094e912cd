"""A node's object is deleted."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError
from chaoskit.faults._notes import CLUSTER, Note
from chaoskit.faults._objects import listed, mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.node._registration import create_again, has_other_range, kept_of, lacking

_BACK_WITHIN_S = 120.0
_RESTART = ("k3s", "component", "restart", "kubelet")


@dataclass(frozen=True)
class NodeDeleted:
    """Delete a node's object, as `kubectl delete node` does. The machine runs on.

    Breaks: the cluster forgets the node; its kubelet does not register it again by itself.
    Kubernetes answers: its pods leave the endpoints and are deleted by garbage collection (40 s).
    Heal: the object is made anew with labels, annotations, taints and pod range as before (a note
    in kube-system keeps them), and the kubelet restarted; then Ready. Pods come by their owners.
    Requires: components that can be restarted one by one, and node faults.
    """

    node: str

    name: ClassVar[str] = "node_deleted"
    requires: ClassVar[frozenset[str]] = frozenset({"node_faults", "separate_components"})
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
        """Note what it is, then delete it. Raises `NotFound`, and every other refusal."""
        kube = cluster.kube
        if listed(kube, "Node", self.node) is None and self._note.read(kube) is not None:
            return  # deleted already, and by us
        item = kube.get("Node", self.node)
        self._note.write(kube, kept_of(item))
        kube.delete("Node", self.node, uid=item["metadata"]["uid"])

    def is_effective(self, cluster: Cluster) -> bool:
        """No list of nodes has it. There is no second path as quick as this."""
        return listed(cluster.kube, "Node", self.node) is None

    def heal(self, cluster: Cluster) -> None:
        """Bring it back as it was. Raises `WaitTimeout` with what is missing, `ClusterError`."""
        mend(
            lambda: self._step(cluster),
            what=f"node {self.node} to be back as before",
            timeout_s=_BACK_WITHIN_S,
            next_step=f"chaoskit cluster shell {self.node}, then: /var/log/chaoskit/kubelet.log",
        )

    def _step(self, cluster: Cluster) -> str:
        kube = cluster.kube
        if (kept := self._note.read(kube)) is None:
            return ""
        now = listed(kube, "Node", self.node)
        if now is None:
            create_again(kube, self.node, kept)
            done = cluster.node(self.node).execute(_RESTART, timeout_s=30)
            if done.exit_code != 0:
                raise ClusterError("no restart", subject=self.node, seen=done.stdout + done.stderr)
            return "it was not there"
        if now["metadata"]["uid"] != kept["uid"] and has_other_range(now, kept):
            kube.delete("Node", self.node, uid=now["metadata"]["uid"])
            return "it had registered with another pod range"
        lack = "" if now["metadata"]["uid"] == kept["uid"] else lacking(kube, now, kept)
        if not lack:
            self._note.drop(kube)
        return lack

    @property
    def _note(self) -> Note:
        return Note(CLUSTER, self.name, f"Node {self.node}")
