"""A container hangs."""

from dataclasses import dataclass
from typing import ClassVar, Self

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod import _containers


@dataclass(frozen=True, kw_only=True)
class ContainerFrozen:
    """Stop all processes of a container (SIGSTOP), also those that come later, such as exec probes.

    Breaks: what the container does; the kernel still takes its connections, nobody answers them.
    Kubernetes answers: a readiness probe takes the pod out of the endpoints after its timeouts; a
    liveness probe has the container killed and started again, which ends this fault.
    Heal: SIGCONT; by the node agent's own timer when nobody asks for it. Nothing if it has ended.
    Requires: the node agent.
    """

    node: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    container_id: str

    name: ClassVar[str] = "container_frozen"
    requires: ClassVar[frozenset[str]] = _containers.REQUIRES
    one_shot: ClassVar[bool] = False

    @classmethod
    def of(cls, pod: _containers.Running, container: str | None = None) -> Self:
        """This very container of a pod, its only one by default."""
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
        """Arm the agent's heal timer, then stop it."""
        _agent.inject(
            cluster, self.node, "container_frozen", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """It has processes, and all of them are stopped."""
        return {one["state"] for one in _containers.seen(cluster, self)["processes"]} == {"T"}

    def heal(self, cluster: Cluster) -> None:
        """Let its processes go on."""
        _agent.heal(cluster, self.node, "container_frozen", self._parameters)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"pod_uid": self.pod_uid, "container_id": self.container_id}
