"""A namespace may use less than before."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach
from chaoskit.faults.surroundings._quotas import LoweredQuota


@dataclass(frozen=True)
class QuotaLowered:
    """Lower values of a namespace's ResourceQuota, or make one of that name.

    Breaks: whatever would use more: it is refused when it is created. What is there stays, also
    above the new values. `hard` is as in manifests: {"pods": "3", "requests.cpu": "500m"}.
    Kubernetes answers: 403 "exceeded quota" to whoever creates; a ReplicaSet or StatefulSet tells
    it in its events and conditions, and tries again with growing pauses.
    Heal: the values are as before, but for those that somebody else changed since; a quota that
    was made goes, unless somebody changed it. Controllers may take minutes to try again.
    Requires: nothing but the API.
    """

    namespace: str
    hard: dict[str, str]
    quota: str = "chaoskit-lowered"

    name: ClassVar[str] = "quota_lowered"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `UsageError` when nothing is to be lowered."""
        if not self.hard:
            raise UsageError(
                "no value to lower",
                subject=f"fault {self.name}",
                next_step='give some, as {"pods": "3"}',
            )

    @property
    def target(self) -> str:
        """The quota."""
        return f"ResourceQuota {self.namespace}/{self.quota}"

    @property
    def reach(self) -> Reach:
        """The namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Lower it. Raises `FaultError` when that changes nothing, and every refusal."""
        self._lowered.put(cluster.kube)

    def is_effective(self, cluster: Cluster) -> bool:
        """The quota controller says that it enforces our values."""
        return self._lowered.is_effective(cluster.kube)

    def heal(self, cluster: Cluster) -> None:
        """Put the values back, and see them enforced. Raises `WaitTimeout`."""
        mend(
            lambda: self._lowered.put_back(cluster.kube),
            what=f"{self.target} to be as before",
            next_step="does the controller manager run? It takes changed quotas up",
        )

    @property
    def _lowered(self) -> LoweredQuota:
        return LoweredQuota(self.name, self.namespace, self.quota, self.hard)
