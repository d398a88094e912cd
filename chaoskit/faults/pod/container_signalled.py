"""A container is ended by a signal."""

from dataclasses import dataclass
from typing import ClassVar, Self

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod import _containers

_ENDING = ("SIGABRT", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM")


@dataclass(frozen=True, kw_only=True)
class ContainerSignalled:
    """Send `signal` to the first process of a container, from its node.

    Breaks: the container ends: at once by SIGKILL; by another signal only if its program handles
    it, as the kernel shields the first process of a container from what it does not handle.
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
    signal: str = "SIGKILL"

    name: ClassVar[str] = "container_signalled"
    requires: ClassVar[frozenset[str]] = _containers.REQUIRES
    one_shot: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.signal not in _ENDING:
            raise UsageError(
                "is no signal that ends a process",
                subject=f"fault {self.name}",
                seen=self.signal,
                next_step=f"one of {', '.join(_ENDING)}; container_frozen stops one",
            )

    @classmethod
    def of(
        cls, pod: _containers.Running, container: str | None = None, *, signal: str = "SIGKILL"
    ) -> Self:
        """This very container of a pod, its only one by default."""
        return cls(**_containers.names_of(pod, container), signal=signal)

    @property
    def target(self) -> str:
        """The container and its pod."""
        return _containers.target_of(self)

    @property
    def reach(self) -> Reach:
        """The pod's namespace."""
        return _containers.reach_of(self)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Signal it; an id that runs no longer is refused."""
        _agent.inject(
            cluster, self.node, "container_signalled", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """No process of this very container is left in its cgroup."""
        return not _containers.seen(cluster, self)["processes"]

    def heal(self, cluster: Cluster) -> None:
        """See it run again."""
        _agent.heal(cluster, self.node, "container_signalled", self._parameters)
        _containers.wait_back(cluster, self)

    @property
    def _parameters(self) -> dict[str, str]:
        return {
            "pod_uid": self.pod_uid,
            "container_id": self.container_id,
            "signal": self.signal,
        }
