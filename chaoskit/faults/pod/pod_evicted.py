"""A pod is evicted."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod._removal import Removal


@dataclass(frozen=True)
class PodEvicted:
    """Evict a pod, as `kubectl drain` does: deleted, unless a disruption budget forbids it.

    Breaks: the pod: it leaves its endpoints, gets TERM, and KILL after its grace period.
    Kubernetes answers: the budget counts it as disrupted; its owner makes another one.
    Heal: nothing to undo; waits until the pod is gone and its owner has as many ready pods as
    before, or the member of that name is ready again. For a bare pod: until it is gone.
    Requires: nothing but the API. `recovered_within_s` bounds the heal's wait.
    """

    namespace: str
    pod: str
    recovered_within_s: float = 120.0

    name: ClassVar[str] = "pod_evicted"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = True

    @property
    def target(self) -> str:
        """The pod."""
        return f"Pod {self.namespace}/{self.pod}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Evict it, once. Raises `Transient` (429) with the reason when its budget forbids that."""
        kube = cluster.kube
        self._removal.carry_out(kube, lambda uid: kube.evict(self.pod, self.namespace, uid=uid))

    def is_effective(self, cluster: Cluster) -> bool:
        """It is terminating or gone in a list of pods, and no EndpointSlice sends it anything."""
        return self._removal.is_effective(cluster.kube, gone=False)

    def heal(self, cluster: Cluster) -> None:
        """Wait for the recovery. Raises `WaitTimeout` with what is missing."""
        self._removal.wait_recovered(cluster.kube, self.recovered_within_s)

    @property
    def _removal(self) -> Removal:
        return Removal(self.name, self.namespace, self.pod)
