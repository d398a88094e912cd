"""Everybody's connections to the API server break."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from chaoskit.cluster.launch.plan import API_PORT
from chaoskit.cluster.node import Agent
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import KubernetesError
from chaoskit.faults.fault import Reach
from chaoskit.faults.network._places import CONTROL_PLANE, nodes_named
from chaoskit.waiting import wait_until

_RECOVERED_WITHIN_S = 30.0


@dataclass(frozen=True)
class WatchCut:
    """Reset every connection that is established to the API server; new ones work at once.

    Breaks: all watches, of kubelets, controllers and this harness, and requests under way.
    Kubernetes answers: clients connect anew and resume their watches where they were.
    Heal: nothing is to be undone; it waits until the API server answers on a new connection.
    Requires: the node agent, and a kernel that lets sockets be destroyed.
    """

    name: ClassVar[str] = "watch_cut"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = True

    @property
    def target(self) -> str:
        """The API server's port."""
        return f"connections to port {API_PORT} of the control plane"

    @property
    def reach(self) -> Reach:
        """The control plane."""
        return Reach(control_plane=True)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Destroy the API server's side of the connections; the other side gets a reset."""
        for agent in _agents(cluster):
            agent.call(
                "inject",
                kind="connections_cut",
                parameters={"port": API_PORT},
                heal_after_s=heal_after_s,
            )

    def is_effective(self, cluster: Cluster) -> bool:
        """None of the connections from before the cut is left, and there are new ones."""
        seen: list[dict[str, Any]] = [
            agent.call("connections", port=API_PORT) for agent in _agents(cluster)
        ]
        return all(each["cut"] and not each["left"] and each["established"] for each in seen)

    def heal(self, cluster: Cluster) -> None:
        """Wait until the API server answers, then forget which connections were cut.

        Raises `WaitTimeout` if it does not answer, `ClusterError` if an agent does not.
        """
        last: list[str] = ["not asked yet"]

        def answers() -> bool:
            try:
                cluster.kube.raw_get("/readyz", read_timeout_s=5.0)
            except KubernetesError as error:
                last[0] = str(error)
                return False
            return True

        wait_until(
            answers,
            what="the API server to answer after its connections were cut",
            timeout_s=_RECOVERED_WITHIN_S,
            seen=lambda: last[0],
        )
        for agent in _agents(cluster):
            agent.call("heal", kind="connections_cut", parameters={"port": API_PORT})


def _agents(cluster: Cluster) -> Iterator[Agent]:
    for name in nodes_named(cluster, [CONTROL_PLANE]):
        yield cluster.node(name).agent
