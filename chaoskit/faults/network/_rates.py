"""Whether a rate is kept, seen by datagrams that are sent as fast as can be."""

import math

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.network._flows import ANSWER_WITHIN_S, flows
from chaoskit.faults.network._places import Place, places

#: Below, too few packets come for a rate to be seen; above, this machine is as slow by itself.
LEAST_MBIT, MOST_MBIT = 0.5, 100.0
_SIZE_BYTES = 1400
_ON_WIRE_BITS = (_SIZE_BYTES + 42) * 8
#: In time of the link, after what passes at once: as short as shows it, since it takes its share.
_MEASURED_S = 0.04
_LEAST_COUNT = 4
#: A single measurement that is slow may be the machine's doing.
_MEASURED_TIMES = 2
#: A queue that others have filled takes nothing in: then it is tried again, as it drains.
_TRIED_TIMES = 3
#: What passes at once when sending: the token bucket's burst.
_BURST_BITS, _BURST_S = 4096 * 8, 0.01
#: How long the queue may be, and so a datagram on its way.
_QUEUE_S = 0.2
_TOLERANCE = 1.15


def is_limited(cluster: Cluster, node: str, rate_mbit: float, direction: str) -> bool:
    """Whether what `node` sends, or receives, comes through at no more than that rate.

    Raises `UsageError` where there is no second node.
    """
    at, other = ends_from(cluster, node)
    ends, rate = ((at, other) if direction == "sending" else (other, at)), rate_mbit * 1e6
    burst = max(_BURST_BITS, rate * _BURST_S) if direction == "sending" else 0.0
    count = math.ceil(burst / _ON_WIRE_BITS) + max(
        _LEAST_COUNT, math.ceil(rate * _MEASURED_S / _ON_WIRE_BITS)
    )
    within_s = ANSWER_WITHIN_S + _QUEUE_S + count * _ON_WIRE_BITS / rate

    def is_slow() -> bool:
        for _ in range(_TRIED_TIMES):
            (flow,) = flows(
                cluster,
                [ends],
                count=count,
                spacing_ms=0.0,
                size_bytes=_SIZE_BYTES,
                within_s=within_s,
            )
            if flow.numbers:
                break
        else:
            return False
        spent_s = (flow.heard_ns[-1] - flow.heard_ns[0]) / 1e9 + flow.delays_ms[0] / 1e3
        return len(flow.numbers) * _ON_WIRE_BITS - burst <= _TOLERANCE * rate * spent_s

    return all(is_slow() for _ in range(_MEASURED_TIMES))


def ends_from(cluster: Cluster, node: str) -> tuple[Place, Place]:
    """A node, and another one to measure with; raises `UsageError` where there is none."""
    for other in cluster.nodes:
        if other.name != node:
            at, there = places(cluster, [node, other.name])
            return at, there
    raise UsageError(
        "has no other node to measure its network with",
        subject=f"cluster {cluster.name}",
        next_step="start it with more agents",
    )
