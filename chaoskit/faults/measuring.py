"""How a path between two nodes fares, for the record: by datagrams that their agents send."""

import statistics
from dataclasses import dataclass

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.faults.network._flows import Flow, flows
from chaoskit.faults.network._places import places
from chaoskit.history.events import PathMeasured

#: Arrivals from which a rate can be told, behind those that a queue lets pass at once.
_LEAST_FOR_A_RATE = 8


@dataclass(frozen=True, kw_only=True)
class Datagrams:
    """What is sent on a way to measure it; `within_s` after the last one nothing more is awaited.

    1,400 bytes of payload at most.
    """

    count: int
    spacing_ms: float
    size_bytes: int = 64
    within_s: float = 0.5


def measured_path(
    cluster: Cluster, source: str, destination: str, datagrams: Datagrams
) -> PathMeasured:
    """Send datagrams from one node to another, and tell what came of them.

    Raises `ClusterError` if an agent does not answer.
    """
    began_ns = clock.now_ns()
    ends = places(cluster, [source, destination])
    (flow,) = flows(
        cluster,
        [(ends[0], ends[1])],
        count=datagrams.count,
        spacing_ms=datagrams.spacing_ms,
        size_bytes=datagrams.size_bytes,
        within_s=datagrams.within_s,
    )
    return PathMeasured(
        time_ns=clock.now_ns(),
        began_ns=began_ns,
        source=source,
        destination=destination,
        sent=flow.sent,
        came=len(set(flow.numbers)),
        size_bytes=flow.size_bytes,
        median_ms=statistics.median(flow.delays_ms) if flow.delays_ms else 0.0,
        rate_mbit=_rate_mbit(flow),
    )


def _rate_mbit(flow: Flow) -> float:
    heard = len(flow.heard_ns)
    return 0.0 if heard < _LEAST_FOR_A_RATE else flow.rate_mbit(skipping=heard // 4)
