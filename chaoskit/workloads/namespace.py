"""A namespace of its own for each scenario."""

import secrets
from dataclasses import dataclass, field
from typing import Self

from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads.polling import wait_seen

#: On everything that chaoskit creates in a cluster, so that a sweep finds what was left behind.
MANAGED_BY = {"app.kubernetes.io/managed-by": "chaoskit"}

# The controller that makes a service account watches namespaces again up to a minute after the API
# server was away: tries up to 30 s apart, each up to twice that by chance (client-go's
# tools/cache/reflector.go). The rest is what it needs on a busy machine.
_USABLE_TIMEOUT_S = 75.0


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """One namespace."""

    kube: Kube = field(repr=False)
    name: str

    @classmethod
    def create(cls, kube: Kube, prefix: str, labels: dict[str, str] | None = None) -> Self:
        """Make a new one, "PREFIX-" and six random characters, and wait until pods can start in it.

        The name only has to be unique, so it is not drawn from the run's seed.
        """
        name = f"{prefix}-{secrets.token_hex(3)}"
        kube.create(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {**MANAGED_BY, **(labels or {})}},
            }
        )
        namespace = cls(kube=kube, name=name)
        namespace.wait_usable(_USABLE_TIMEOUT_S)
        return namespace

    def wait_usable(self, timeout_s: float) -> None:
        """Wait for its default service account, without which no pod is admitted."""
        wait_seen(
            lambda: self.kube.find("ServiceAccount", "default", self.name),
            what=f"the default service account of namespace {self.name}",
            timeout_s=timeout_s,
            seen=lambda: "no such service account",
            next_step="see whether the controller manager runs",
        )

    def delete(self) -> None:
        """Ask for its end and that of all in it, and return at once; gone already is fine."""
        if self.kube.find("Namespace", self.name) is not None:
            self.kube.delete("Namespace", self.name, propagation="Background")

    def wait_gone(self, timeout_s: float) -> None:
        """Wait until nothing of it is left."""
        last: Object | None = None

        def is_gone() -> bool:
            nonlocal last
            last = self.kube.find("Namespace", self.name)
            return last is None

        wait_seen(
            is_gone,
            what=f"namespace {self.name} to be gone",
            timeout_s=timeout_s,
            seen=lambda: last and last.get("status"),
            next_step="see its conditions: pods on a node that is away, or finalizers, hold it",
        )


def left_behind(kube: Kube, labels: dict[str, str] | None = None) -> list[Namespace]:
    """All namespaces that chaoskit made and that are still there, for a sweep."""
    found = kube.list("Namespace", labels={**MANAGED_BY, **(labels or {})})
    return [Namespace(kube=kube, name=item["metadata"]["name"]) for item in found]
