"""A share of the packets is lost on the way."""

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import connects, flows
from chaoskit.faults.network._path import Path
from chaoskit.faults.network._places import check_share, reach_of

#: Connections take longer to be seen lost than datagrams, so that fewer can be tried.
_LEAST_SHARE, _LEAST_SHARE_OF_CONNECTS = 0.02, 0.2
_EXPECTED_LOST = 40
_MOST_CONNECTS = 150
_SPACING_MS = 0.1
#: What is seen may differ from what was asked for by so many standard deviations.
_DEVIATIONS = 5.0


@dataclass(frozen=True)
class Loss:
    """Lose `share` of the packets from `sources` to `destinations`, each by chance; names as for a
    partition; with `port`, only of TCP connections to that port.

    Breaks: packets one way. TCP sends them again, so clients see tails: a lost SYN costs 1 s.
    Kubernetes answers: nothing, until so much is lost that leases or probes run out.
    Heal: exactly these rules go; by the agents' own timers when nobody asks for it.
    Requires: the node agent.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    share: float
    port: int | None = None

    name: ClassVar[str] = "loss"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        self._path.check()
        least = _LEAST_SHARE if self.port is None else _LEAST_SHARE_OF_CONNECTS
        check_share(self.share, least=least)

    @property
    def target(self) -> str:
        """From where to where."""
        return f"{', '.join(self.sources)} to {', '.join(self.destinations)}"

    @property
    def reach(self) -> Reach:
        """The nodes and pods at both ends."""
        return reach_of([*self.sources, *self.destinations])

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Have packets dropped where they arrive."""
        parameters = {"label": self._label, "action": "drop", "share": self.share}
        chosen = self._path.selections(cluster)
        _path.inject(cluster, "packets", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """About that share of datagrams, or of connections to the port, does not come through."""
        count = math.ceil(_EXPECTED_LOST / self.share)
        ends = self._path.measurable_ends(cluster)
        if self.port is not None:
            count = min(count, _MOST_CONNECTS)
            tried = [connects(cluster, *pair, self.port, count=count) for pair in ends]
            shares = [1 - each.answered / count for each in tried]
        else:
            came = flows(cluster, ends, count=count, spacing_ms=_SPACING_MS)
            shares = [flow.lost_share for flow in came]
        allowed = _DEVIATIONS * math.sqrt(self.share * (1 - self.share) / count)
        return all(abs(share - self.share) <= allowed for share in shares)

    def heal(self, cluster: Cluster) -> None:
        """Take the rules away. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "packets", self._path.nodes(cluster), self._label)

    @property
    def _path(self) -> Path:
        return Path(self.sources, self.destinations, self.port)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
