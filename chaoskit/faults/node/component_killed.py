"""A component of a node crashes again and again."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _components

#: A kill may come this much late on a busy machine.
_SLACK_S = 1.0


@dataclass(frozen=True)
class ComponentKilled:
    """Kill one component of a node (SIGKILL) now and every `every_s` seconds: a crash loop.

    Breaks: what that component does, and what it has in memory. The node's supervisor starts it
    again after 0.5 s, doubling to 10 s, as a service manager does.
    Kubernetes answers: between two ends the component works, if it starts fast enough; a kubelet
    that comes back within its lease is not missed.
    Heal: no more kills, started at once if it waits for its turn, seen to serve and to outlive the
    period; by the node agent's own timer when nobody asks for it.
    Requires: the node agent, and a node image that runs each component as a process of its own.
    """

    node: str
    component: str
    every_s: float = 2.0

    name: ClassVar[str] = "component_killed"
    requires: ClassVar[frozenset[str]] = _components.REQUIRES
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _components.checked(self.component)
        if not 0.1 <= self.every_s <= 60:
            raise UsageError(
                "every_s is from 0.1 to 60", subject=f"fault {self.name}", seen=self.every_s
            )

    @property
    def target(self) -> str:
        """The component and its node."""
        return f"{self.component} on {self.node}"

    @property
    def reach(self) -> Reach:
        """The node, and the API where it cannot do without."""
        return _components.reach_of(self.node, self.component)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then kill it."""
        _agent.inject(
            cluster, self.node, "component_killed", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """It has no process, or one that is younger than the period."""
        state = _components.state_of(cluster, self.node, self.component)
        return all(one["age_s"] < self.every_s + _SLACK_S for one in state["processes"])

    def heal(self, cluster: Cluster) -> None:
        """Let it live, and see that it does."""
        _agent.heal(cluster, self.node, "component_killed", self._parameters)
        _components.wait_serving(
            cluster, self.node, self.component, least_age_s=self.every_s + _SLACK_S
        )

    @property
    def _parameters(self) -> dict[str, str | float]:
        return {"component": self.component, "every_s": self.every_s}
