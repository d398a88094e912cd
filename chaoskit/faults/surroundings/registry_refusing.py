"""The private registry turns its clients away."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.surroundings._registry import HEALED_WITHIN_S, answer, registry_of
from chaoskit.waiting import wait_until

_UNAUTHORIZED = 401
_OK = 200


@dataclass(frozen=True)
class RegistryRefusing:
    """Take the account for pulling out of the private registry's password file.

    Breaks: every pull from it, also with the right password: 401 Unauthorized. Pushing goes on.
    Kubernetes answers: a pod that needs a pull shows ErrImagePull, then ImagePullBackOff, with
    "401 Unauthorized" in its message, and is tried again after 10, 20, 40 … 300 s; the Secret it
    names is not to blame, and what runs goes on.
    Heal: the account is back with the same password, so no Secret has to change; by the
    registry's supervisor itself when nobody asks for it.
    Requires: the private registry beside the nodes, started by the fixture `registry`.
    """

    name: ClassVar[str] = "registry_refusing"
    requires: ClassVar[frozenset[str]] = frozenset({"registry"})
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The registry; there is one."""
        return "registry"

    @property
    def reach(self) -> Reach:
        """Nothing of the cluster itself; the registry beside it."""
        return Reach(registry=True)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the registry's own timer, then withdraw the account."""
        registry_of(cluster).inject("refusing", heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """A node that asks with the account for pulling is refused."""
        seen = answer(cluster)
        return seen is not None and seen.status == _UNAUTHORIZED

    def heal(self, cluster: Cluster) -> None:
        """Let the account in again, and see a node let in; nothing to do without a registry.

        A registry that is stopped as well lets nobody in, and whom it would cannot be seen.
        Raises `ClusterError` if the account is not taken, `WaitTimeout` if no node is let in.
        """
        registry = cluster.registry
        if registry is None:
            return

        def lets_in() -> bool:
            seen = registry.answer_to(cluster.nodes[0])
            return seen.status == _OK or seen.refused

        registry.heal("refusing")
        wait_until(
            lets_in,
            what=f"the registry at {registry.address} to let {cluster.nodes[0].name} in",
            timeout_s=HEALED_WITHIN_S,
            seen=lambda: answer(cluster),
            next_step="docker logs of the registry",
        )
