"""A volume is full."""

from dataclasses import dataclass
from typing import ClassVar, Self

from chaoskit.cluster.node import Completed
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod._containers import Running

_EMPTY_DIR = "/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/{volume}"
_WRITE = 'cd "$1" && { head -c 65536 /dev/zero > .chaoskit-try; rm -f .chaoskit-try; }'
_WRITES_WITHIN_S = 10.0


@dataclass(frozen=True)
class DiskFilled:
    """Fill the file system at `path` on a node.

    Breaks: who writes there gets ENOSPC. Only a mount of its own of at most 1 GB is filled (in
    memory: and a quarter of what the machine has available), never the disk that nodes share with
    their machine: an emptyDir in memory with a sizeLimit is one.
    Kubernetes answers: nothing to a volume that is just full; one that is beyond its sizeLimit has
    its pod evicted.
    Heal: the filling is removed; by the node agent's own timer when nobody asks for it. With its
    pod the volume goes, and the filling with it.
    Requires: the node agent.
    """

    node: str
    path: str

    name: ClassVar[str] = "disk_filled"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise UsageError("the path is absolute", subject=f"fault {self.name}", seen=self.path)

    @classmethod
    def of(cls, pod: Running, volume: str) -> Self:
        """The emptyDir of that name of a pod."""
        item = pod.read()
        path = _EMPTY_DIR.format(uid=item["metadata"]["uid"], volume=volume)
        return cls(item["spec"]["nodeName"], path)

    @property
    def target(self) -> str:
        """The node and the path."""
        return f"{self.path} on {self.node}"

    @property
    def reach(self) -> Reach:
        """The node."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then fill it."""
        _agent.inject(
            cluster, self.node, "disk_filled", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """A process of the node that writes there is told that no space is left."""
        return "No space left" in self._write(cluster).stderr

    def heal(self, cluster: Cluster) -> None:
        """Remove the filling."""
        _agent.heal(cluster, self.node, "disk_filled", self._parameters)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"path": self.path}

    def _write(self, cluster: Cluster) -> Completed:
        argv = ["sh", "-c", _WRITE, "sh", self.path]
        return cluster.node(self.node).execute(argv, timeout_s=_WRITES_WITHIN_S)
