"""The API server answers late."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.launch.plan import API_PORT
from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import ANSWER_WITHIN_S, connects
from chaoskit.faults.network._places import CONTROL_PLANE, check_delay, nodes_named, places

#: Of the delay: less is only seen when the jitter is as long as the delay itself.
_AT_LEAST = 0.5
_MEASURED = 10


@dataclass(frozen=True)
class ApiLatency:
    """Delay every packet to the API server by `delay_ms`, evenly varied by up to `jitter_ms`.

    Breaks: nothing, but all that asks the API server waits once a round trip: kubelets, scheduler
    and controllers, also those beside it, and this harness. A new connection takes several.
    Kubernetes answers: rollouts and failovers slow down; leases run out when the delay nears their
    renewal deadlines, and then nodes turn NotReady and controllers stop.
    Heal: packets that are held go at once, none is lost; when the agent dies, they pass.
    Requires: the node agent, and a kernel with NFQUEUE.
    """

    delay_ms: float
    jitter_ms: float = 0.0
    seed: int = 0

    name: ClassVar[str] = "api_latency"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        check_delay(self.delay_ms, self.jitter_ms)

    @property
    def target(self) -> str:
        """The API server."""
        return f"port {API_PORT} of the control plane"

    @property
    def reach(self) -> Reach:
        """The control plane."""
        return Reach(control_plane=True)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Have packets to it held where they arrive, also those from its own node."""
        selection = {"at": "arriving", "protocol": "tcp", "ports": [API_PORT]}
        parameters = {
            "label": self._label,
            "delay_ms": self.delay_ms,
            "jitter_ms": self.jitter_ms,
            "seed": self.seed,
        }
        chosen = {name: [selection] for name in nodes_named(cluster, [CONTROL_PLANE])}
        _path.inject(cluster, "delay", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Connections from any node to each API server take that long, but are answered."""
        least_ms = max(_AT_LEAST * self.delay_ms, self.delay_ms - self.jitter_ms)
        within_s = ANSWER_WITHIN_S + 2 * (self.delay_ms + self.jitter_ms) / 1e3
        (source,) = places(cluster, [cluster.nodes[-1].name])
        seen = [
            connects(cluster, source, server, API_PORT, count=_MEASURED, within_s=within_s)
            for server in places(cluster, [CONTROL_PLANE])
        ]
        return all(each.answered and each.mean_ms >= least_ms for each in seen)

    def heal(self, cluster: Cluster) -> None:
        """Let go of what is held, take the rules away. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "delay", nodes_named(cluster, [CONTROL_PLANE]), self._label)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
