"""The private registry does not run."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.surroundings._registry import HEALED_WITHIN_S, answer, registry_of
from chaoskit.waiting import wait_until


@dataclass(frozen=True)
class RegistryStopped:
    """Kill the process of the private registry, and keep it from being started again.

    Breaks: every pull from it: connections are refused, those under way are reset.
    Kubernetes answers: a pod that needs a pull shows ErrImagePull, then ImagePullBackOff, with
    "connection refused" in its message, and is tried again after 10, 20, 40 … 300 s; what runs,
    and what starts from an image that its node has, goes on.
    Heal: the process starts again, with all images; by the registry's supervisor itself when
    nobody asks for it.
    Requires: the private registry beside the nodes, started by the fixture `registry`.
    """

    name: ClassVar[str] = "registry_stopped"
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
        """Arm the registry's own timer, then kill its process."""
        registry_of(cluster).inject("stopped", heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """A node that asks it for anything finds that nobody listens."""
        seen = answer(cluster)
        return seen is not None and seen.refused

    def heal(self, cluster: Cluster) -> None:
        """Let it run, and see a node get an answer; nothing to do where there is no registry.

        Raises `ClusterError` if it does not start, `WaitTimeout` if no node reaches it.
        """
        registry = cluster.registry
        if registry is None:
            return
        registry.heal("stopped")
        wait_until(
            lambda: registry.answer_to(cluster.nodes[0]).status is not None,
            what=f"the registry at {registry.address} to answer {cluster.nodes[0].name}",
            timeout_s=HEALED_WITHIN_S,
            seen=lambda: answer(cluster),
            next_step="docker logs of the registry",
        )
