"""Packets between some places and others are lost."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import connects, flows
from chaoskit.faults.network._path import Path
from chaoskit.faults.network._places import is_address, reach_of


@dataclass(frozen=True)
class Partition:
    """Cut `sources` off from `destinations`: nodes, "control plane", pods (namespace/name) or
    addresses; with `port`, only TCP connections to that port.

    Breaks: every packet between them, both ways or, with `one_way`, from sources to destinations
    alone. Nobody is told, unless `refuse`: then connections are reset. A node stands for its pods.
    Kubernetes answers: a node cut off from the control plane turns NotReady after its grace, its
    pods leave the endpoints; between other nodes Kubernetes notices nothing, and Services go on
    choosing pods that some clients cannot reach.
    Heal: exactly these rules go; by the agents' own timers when nobody asks for it.
    Requires: the node agent.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    port: int | None = None
    one_way: bool = False
    refuse: bool = False

    name: ClassVar[str] = "partition"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        self._path.check()
        if self.refuse and any(map(is_address, (*self.sources, *self.destinations))):
            raise UsageError(
                "cannot refuse what goes to or comes from an address",
                subject=self.target,
                next_step="name nodes and pods at both ends, or let packets be lost",
            )

    @property
    def target(self) -> str:
        """From where to where."""
        arrow = "to" if self.one_way else "and"
        return f"{', '.join(self.sources)} {arrow} {', '.join(self.destinations)}"

    @property
    def reach(self) -> Reach:
        """The nodes and pods at both ends."""
        return reach_of([*self.sources, *self.destinations])

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Have packets dropped where they arrive."""
        selections = self._path.selections(cluster)
        for node, more in {} if self.one_way else self._path.reversed().selections(cluster).items():
            selections.setdefault(node, []).extend(more)
        action = "reject" if self.refuse else "drop"
        parameters = {"label": self._label, "action": action, "share": 1.0}
        _path.inject(cluster, "packets", selections, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """No datagram sent between them arrives, or no connection to the port is accepted."""
        ways = (self._path,) if self.one_way else (self._path, self._path.reversed())
        ends = [pair for way in ways for pair in way.measurable_ends(cluster)]
        if self.port is not None:
            tried = [connects(cluster, *pair, self.port) for pair in ends]
            return not any(each.accepted if self.refuse else each.answered for each in tried)
        came = flows(cluster, ends, count=3, spacing_ms=2.0)
        return not any(flow.numbers for flow in came)

    def heal(self, cluster: Cluster) -> None:
        """Take the rules away. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "packets", self._path.nodes(cluster), self._label)

    @property
    def _path(self) -> Path:
        return Path(self.sources, self.destinations, self.port)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
