"""Packets take longer on the way."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import ANSWER_WITHIN_S, flows
from chaoskit.faults.network._path import Path
from chaoskit.faults.network._places import check_delay, reach_of

_MEASURED = 15
#: So few come by chance where another fault loses 30 % of them, once in some ten thousand times.
_LEAST_CAME = 4
#: Below the mean delay by chance of the jitter, and above what a busy machine adds by itself.
_AT_LEAST = 0.5


@dataclass(frozen=True)
class Latency:
    """Delay packets from `sources` to `destinations` (everywhere, if none are named) by `delay_ms`,
    evenly varied by up to `jitter_ms` to either side; names as for a partition.

    Breaks: the time that packets take one way, so each round trip has it once. Their order is
    kept: one that jitter would let overtake waits for those before it. A node stands for its pods.
    Kubernetes answers: nothing, until leases or probes run out.
    Heal: packets that are held go at once, none is lost; when the agent dies, they pass.
    Requires: the node agent, and a kernel with NFQUEUE.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...] = ()
    delay_ms: float = 100.0
    jitter_ms: float = 0.0
    seed: int = 0

    name: ClassVar[str] = "latency"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        self._path.check(to_everywhere=True)
        check_delay(self.delay_ms, self.jitter_ms)

    @property
    def target(self) -> str:
        """From where to where."""
        return f"{', '.join(self.sources)} to {', '.join(self.destinations) or 'everywhere'}"

    @property
    def reach(self) -> Reach:
        """The nodes and pods at both ends."""
        return reach_of([*self.sources, *self.destinations])

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Have packets held where they arrive, or, if they go everywhere, where they leave."""
        parameters = {
            "label": self._label,
            "delay_ms": self.delay_ms,
            "jitter_ms": self.jitter_ms,
            "seed": self.seed,
        }
        chosen = self._path.selections(cluster)
        _path.inject(cluster, "delay", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Datagrams that come take that much longer; another fault may lose some of them."""
        within_s = ANSWER_WITHIN_S + 2 * (self.delay_ms + self.jitter_ms) / 1e3
        ends = self._path.measurable_ends(cluster)
        came = flows(cluster, ends, count=_MEASURED, spacing_ms=1.0, within_s=within_s)
        return all(
            len(flow.numbers) >= _LEAST_CAME and flow.mean_ms >= _AT_LEAST * self.delay_ms
            for flow in came
        )

    def heal(self, cluster: Cluster) -> None:
        """Let go of what is held, take the rules away. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "delay", self._path.nodes(cluster), self._label)

    @property
    def _path(self) -> Path:
        return Path(self.sources, self.destinations)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
