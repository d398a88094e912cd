"""A pod is deleted by force."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod._removal import Removal


@dataclass(frozen=True)
class PodForceDeleted:
    """Delete a pod by force, as `kubectl delete pod --force --grace-period=0` does.

    Breaks: the pod's object is gone at once, whether its processes have ended or not: on a node
    that is away they go on, beside those of the pod that takes its name.
    Kubernetes answers: its owner makes another one at once.
    Heal: nothing to undo; waits until its owner has as many ready pods as before, or the member
    of that name is ready again. For a bare pod: nothing.
    Requires: nothing but the API. `recovered_within_s` bounds the heal's wait.
    """

    namespace: str
    pod: str
    recovered_within_s: float = 120.0

    name: ClassVar[str] = "pod_force_deleted"
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
        """Delete it. Raises `NotFound` when there is none, and every other refusal."""
        kube = cluster.kube
        self._removal.carry_out(
            kube,
            lambda uid: kube.delete("Pod", self.pod, self.namespace, grace_period_s=0, uid=uid),
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """Its UID is gone from the list of pods and from every EndpointSlice."""
        return self._removal.is_effective(cluster.kube, gone=True)

    def heal(self, cluster: Cluster) -> None:
        """Wait for the recovery. Raises `WaitTimeout` with what is missing."""
        self._removal.wait_recovered(cluster.kube, self.recovered_within_s)

    @property
    def _removal(self) -> Removal:
        return Removal(self.name, self.namespace, self.pod)
