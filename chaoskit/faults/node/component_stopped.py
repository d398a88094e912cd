"""A component of a node is stopped."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults import _agent
from chaoskit.faults.fault import Reach
from chaoskit.faults.node import _components


@dataclass(frozen=True)
class ComponentStopped:
    """End one component of a node at once (SIGKILL), and keep it down.

    Breaks: what that component does; all others go on. Without `containerd` pods run on and no
    container can be started; without `kubelet` nobody looks after them.
    Kubernetes answers: without `kubelet` the node turns NotReady after its grace; without
    `kube-apiserver` or `etcd` nothing can be changed, what runs goes on, and endpoints stay as they
    are; without scheduler or controller manager new pods stay Pending, or do not come at all.
    Heal: started again by the node's supervisor, seen to serve, with it the API's /readyz where it
    is of the control plane; by the node agent's own timer when nobody asks for it.
    Requires: the node agent, and a node image that runs each component as a process of its own.
    """

    node: str
    component: str

    name: ClassVar[str] = "component_stopped"
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
        """Arm the agent's heal timer, then end it."""
        _agent.inject(
            cluster, self.node, "component_down", self._parameters, heal_after_s=heal_after_s
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """It has no process, and does not answer."""
        state = _components.state_of(cluster, self.node, self.component)
        return not state["processes"] and not state["serving"]

    def heal(self, cluster: Cluster) -> None:
        """Start it, and see it serve."""
        _agent.heal(cluster, self.node, "component_down", self._parameters)
        _components.wait_serving(cluster, self.node, self.component)

    @property
    def _parameters(self) -> dict[str, str]:
        return {"component": self.component}
