"""A container runs out of memory."""

from dataclasses import dataclass
from typing import ClassVar, Self

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod import _containers


@dataclass(frozen=True, kw_only=True)
class ContainerOutOfMemory:
    """Fill a container's memory, from inside its limit, until the kernel kills its first process.

    Breaks: the container ends with OOMKilled. It needs a memory limit, of at most 1 GB and a
    quarter of what the machine has available: nothing else would bound what is filled.
    Kubernetes answers: it is started again in place as its restart policy says, the first time at
    once and then after 10 s, 20 s and so on; the pod is not ready meanwhile.
    Heal: none is needed; waits until the container, or its successor, runs again.
    Requires: the node agent.
    """

    node: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    container_id: str

    name: ClassVar[str] = "container_out_of_memory"
    requires: ClassVar[frozenset[str]] = _containers.REQUIRES
    one_shot: ClassVar[bool] = True

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
        """Fill it; returns when the kernel has killed."""
        _agent.inject(
            cluster,
            self.node,
            "container_out_of_memory",
            self._parameters,
            heal_after_s=heal_after_s,
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """The API says that this very container ended with OOMKilled."""
        status = _containers.status_of(cluster, self) or {}
        ends = [status.get(moment, {}).get("terminated", {}) for moment in ("state", "lastState")]
        return any(
            end.get("reason") == "OOMKilled" and end["containerID"].endswith(self.container_id)
            for end in ends
        )

    def heal(self, cluster: Cluster) -> None:
        """See it run again."""
        _agent.heal(cluster, self.node, "container_out_of_memory", self._parameters)
        _containers.wait_back(cluster, self)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"pod_uid": self.pod_uid, "container_id": self.container_id}
