"""A Secret is withdrawn."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.surroundings._withdrawal import Withdrawal


@dataclass(frozen=True)
class SecretWithdrawn:
    """Take a Secret out of its namespace.

    Breaks: pods that start: a container that takes its environment from it, or mounts it, waits;
    an image that needs it to be pulled is not.
    Kubernetes answers: CreateContainerConfigError, FailedMount, or ErrImagePull; running containers
    keep what they have. Once it is back, they start.
    Heal: it is put back with its type, content, labels, annotations, owners and immutable flag,
    from a copy of ours beside it, another Secret. One that somebody made in its place stays.
    Requires: nothing but the API. One with finalizers is refused.
    """

    namespace: str
    secret: str

    name: ClassVar[str] = "secret_withdrawn"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The Secret."""
        return f"Secret {self.namespace}/{self.secret}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Keep it, then delete it. Raises `NotFound`, `FaultError`, and every other refusal."""
        self._withdrawal.carry_out(cluster.kube)

    def is_effective(self, cluster: Cluster) -> bool:
        """A list of the namespace has our copy, and not the Secret."""
        return self._withdrawal.is_effective(cluster.kube)

    def heal(self, cluster: Cluster) -> None:
        """Put it back, and see it listed. Raises `WaitTimeout`."""
        self._withdrawal.put_back(cluster.kube)

    @property
    def _withdrawal(self) -> Withdrawal:
        return Withdrawal(self.name, "Secret", self.namespace, self.secret)
