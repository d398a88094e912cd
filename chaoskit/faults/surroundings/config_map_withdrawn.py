"""A ConfigMap is withdrawn."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.surroundings._withdrawal import Withdrawal


@dataclass(frozen=True)
class ConfigMapWithdrawn:
    """Take a ConfigMap out of its namespace.

    Breaks: pods that start: a container that takes its environment from it, or mounts it, waits.
    Kubernetes answers: CreateContainerConfigError, or FailedMount; running containers keep their
    environment and what was mounted; nothing is rolled. Once it is back, they start.
    Heal: it is put back with its content, labels, annotations, owners and immutable flag, from a
    copy of ours beside it. One that somebody made in its place meanwhile stays.
    Requires: nothing but the API. One with finalizers is refused.
    """

    namespace: str
    config_map: str

    name: ClassVar[str] = "config_map_withdrawn"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The ConfigMap."""
        return f"ConfigMap {self.namespace}/{self.config_map}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Keep it, then delete it. Raises `NotFound`, `FaultError`, and every other refusal."""
        self._withdrawal.carry_out(cluster.kube)

    def is_effective(self, cluster: Cluster) -> bool:
        """A list of the namespace has our copy, and not the ConfigMap."""
        return self._withdrawal.is_effective(cluster.kube)

    def heal(self, cluster: Cluster) -> None:
        """Put it back, and see it listed. Raises `WaitTimeout`."""
        self._withdrawal.put_back(cluster.kube)

    @property
    def _withdrawal(self) -> Withdrawal:
        return Withdrawal(self.name, "ConfigMap", self.namespace, self.config_map)
