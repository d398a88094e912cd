"""A component of a node hangs."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _components


@dataclass(frozen=True)
class ComponentPaused:
    """Stop the process of one component of a node (SIGSTOP), which keeps all it holds.

    Breaks: what that component does, and whoever waits for it: connections stand and are taken by
    the kernel, answers do not come, so callers run into their timeouts instead of being refused.
    Kubernetes answers: as when the component is gone, later by those timeouts.
    Heal: SIGCONT, seen to serve, with it the API's /readyz where it is of the control plane; by the
    node agent's own timer when nobody asks for it.
    Requires: the node agent, and a node image that runs each component as a process of its own.
    """

    node: str
    component: str

    name: ClassVar[str] = "component_paused"
    requires: ClassVar[frozenset[str]] = _components.REQUIRES
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _components.checked(self.component)

    @property
    def target(self) -> str:
        """The component and its node."""
        return f"{self.component} on {self.node}"

    @property
    def reach(self) -> Reach:
        """The node, and the API where it cannot do without."""
        return _components.reach_of(self.node, self.component)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Arm the agent's heal timer, then pause it."""
        _agent.inject(
            cluster, self.node, "component_paused", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """Its process is there and stopped, and does not answer."""
        state = _components.state_of(cluster, self.node, self.component)
        states = {one["state"] for one in state["processes"]}
        return states == {"T"} and not state["serving"]

    def heal(self, cluster: Cluster) -> None:
        """Let it go on, and see it serve."""
        _agent.heal(cluster, self.node, "component_paused", self._parameters)
        _components.wait_serving(cluster, self.node, self.component)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"component": self.component}
