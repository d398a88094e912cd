"""What holds a pod's containers together ends."""

from dataclasses import dataclass
from typing import ClassVar, Self

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod import _containers


@dataclass(frozen=True, kw_only=True)
class SandboxKilled:
    """Kill the process that holds the namespaces of a pod (its sandbox, `pause`).

    Breaks: nothing at once: its containers run on, with the pod's network, until the kubelet looks.
    Kubernetes answers: the kubelet ends all containers of the pod and starts them in a new sandbox,
    in place: mostly with another pod address, the same UID and name.
    Heal: none is needed; waits until the container runs in a sandbox again.
    Requires: the node agent.
    """

    node: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    container_id: str

    name: ClassVar[str] = "sandbox_killed"
    requires: ClassVar[frozenset[str]] = _containers.REQUIRES
    one_shot: ClassVar[bool] = True

    @classmethod
    def of(cls, pod: _containers.Running, container: str | None = None) -> Self:
        """The sandbox of a pod, which is watched by one container of it."""
        return cls(**_containers.names_of(pod, container))

    @property
    def target(self) -> str:
        """The container and its pod."""
        return _containers.target_of(self)

    @property
    def reach(self) -> Reach:
        """The pod's namespace."""
        return _containers.reach_of(self)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Kill it."""
        _agent.inject(
            cluster, self.node, "sandbox_killed", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """The pod has no sandbox, or the container that was in it has ended with it."""
        state = _containers.seen(cluster, self)
        return not (state["sandbox"] and state["processes"])

    def heal(self, cluster: Cluster) -> None:
        """See the pod run again."""
        _agent.heal(cluster, self.node, "sandbox_killed", self._parameters)
        _containers.wait_back(cluster, self)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"pod_uid": self.pod_uid}
