"""Packets overtake one another."""

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import ANSWER_WITHIN_S, flows
from chaoskit.faults.network._path import Path
from chaoskit.faults.network._places import check_delay, check_share, reach_of

_LEAST_SHARE, _MOST_SHARE = 0.01, 0.9
#: So many are expected late of those sent: a quarter of them or less happens once in 10^7 times.
_EXPECTED_LATE = 40


@dataclass(frozen=True)
class Reorder:
    """Hold `share` of the packets from `sources` to `destinations` (everywhere, if none are named)
    for `held_ms`, each by chance, so that those sent meanwhile overtake; names as for a partition.

    Breaks: the order of packets one way. TCP takes it for loss: it sends again and slows down.
    Kubernetes answers: nothing.
    Heal: packets that are held go at once, none is lost; when the agent dies, they pass.
    Requires: the node agent, and a kernel with NFQUEUE.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...] = ()
    share: float = 0.25
    held_ms: float = 20.0
    seed: int = 0

    name: ClassVar[str] = "reorder"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        self._path.check(to_everywhere=True)
        check_share(self.share, least=_LEAST_SHARE, most=_MOST_SHARE)
        check_delay(self.held_ms)

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
            "hold_share": self.share,
            "hold_ms": self.held_ms,
            "seed": self.seed,
        }
        chosen = self._path.selections(cluster)
        _path.inject(cluster, "delay", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Of datagrams sent closely some come late, as was asked for, and all do come."""
        count = math.ceil(_EXPECTED_LATE / self.share)
        spacing_ms = min(0.5, self.held_ms / 20)
        within_s = ANSWER_WITHIN_S + 2 * self.held_ms / 1e3
        ends = self._path.measurable_ends(cluster)
        came = flows(cluster, ends, count=count, spacing_ms=spacing_ms, within_s=within_s)
        return all(flow.lost_share == 0 and 4 * flow.late >= _EXPECTED_LATE for flow in came)

    def heal(self, cluster: Cluster) -> None:
        """Let go of what is held, take the rules away. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "delay", self._path.nodes(cluster), self._label)

    @property
    def _path(self) -> Path:
        return Path(self.sources, self.destinations)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
