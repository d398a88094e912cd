"""What becomes of packets: agents send numbered datagrams, or connect, and others tell what came.

All nodes share one kernel, so its monotonic clock dates both ends, and the time that a datagram
took is known for one way alone.
"""

import contextlib
import secrets
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import WaitTimeout
from chaoskit.faults.network._places import Place
from chaoskit.waiting import wait_until

#: One bridge carries a packet in well under a millisecond; a busy machine may take this long.
ANSWER_WITHIN_S = 0.3
_CALL_MARGIN_S = 15.0
_UDP_IP_ETHERNET_BYTES = 42


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Datagrams sent from one place to another: which arrived, in this order, and when."""

    sent: int
    numbers: Sequence[int]
    delays_ms: Sequence[float]
    heard_ns: Sequence[int]
    size_bytes: int

    @property
    def lost_share(self) -> float:
        """Of those that were sent, the share that never came."""
        return 1 - len(set(self.numbers)) / self.sent

    @property
    def late(self) -> int:
        """How many came after one that was sent later."""
        highest, late = -1, 0
        for number in self.numbers:
            late += number < highest
            highest = max(highest, number)
        return late

    @property
    def duplicates(self) -> int:
        """How many came more than once."""
        return len(self.numbers) - len(set(self.numbers))

    @property
    def mean_ms(self) -> float:
        """The mean time on the way; 0 if none came."""
        return statistics.fmean(self.delays_ms) if self.delays_ms else 0.0

    def rate_mbit(self, *, skipping: int) -> float:
        """On the wire, from the datagram after the first `skipping` on; 0 if too few came."""
        times = self.heard_ns[skipping:]
        if len(times) < 2 or times[-1] == times[0]:
            return 0.0
        bits = (len(times) - 1) * (self.size_bytes + _UDP_IP_ETHERNET_BYTES) * 8
        return bits / (times[-1] - times[0]) * 1e3


def flows(
    cluster: Cluster,
    ends: Sequence[tuple[Place, Place]],
    *,
    count: int,
    spacing_ms: float,
    size_bytes: int = 64,
    within_s: float = ANSWER_WITHIN_S,
) -> list[Flow]:
    """Send `count` datagrams from each place to its other end; what came `within_s` after that."""
    series = []
    for source, destination in ends:
        listener = cluster.node(destination.node).agent
        port = listener.call("listen", pod=destination.pod_uid)["port"]
        number = secrets.randbits(48)
        cluster.node(source.node).agent.call(
            "send",
            pod=source.pod_uid,
            address=destination.address,
            port=port,
            series=number,
            count=count,
            spacing_ms=spacing_ms,
            size_bytes=size_bytes,
            timeout_s=_CALL_MARGIN_S + count * spacing_ms / 1e3,
        )
        series.append((listener, number))

    def all_came() -> bool:
        counts = [
            listener.call("heard", series=number, brief=True)["count"]
            for listener, number in series
        ]
        return min(counts, default=count) >= count

    with contextlib.suppress(WaitTimeout):
        wait_until(all_came, what="every datagram", timeout_s=within_s, interval_s=0.02)
    return [
        _flow(listener.call("heard", series=number), count, size_bytes)
        for listener, number in series
    ]


def _flow(answer: dict[str, list[int]], count: int, size_bytes: int) -> Flow:
    return Flow(
        sent=count,
        numbers=answer["numbers"],
        delays_ms=[delay / 1e6 for delay in answer["delays_ns"]],
        heard_ns=answer["heard_ns"],
        size_bytes=size_bytes,
    )


@dataclass(frozen=True, kw_only=True)
class Connects:
    """TCP connections that were tried: how many got an answer, be it a refusal, and how soon."""

    tried: int
    accepted: int
    answered: int
    mean_ms: float


def connects(
    cluster: Cluster,
    source: Place,
    destination: Place,
    port: int,
    *,
    count: int = 1,
    within_s: float = ANSWER_WITHIN_S,
) -> Connects:
    """Try `count` connections at once, from a node's or a pod's own network."""
    answer = cluster.node(source.node).agent.call(
        "connect",
        pod=source.pod_uid,
        address=destination.address,
        port=port,
        count=count,
        timeout_ms=within_s * 1e3,
        timeout_s=_CALL_MARGIN_S + within_s,
    )
    took_ms = [took / 1e6 for took in answer["took_ns"]]
    return Connects(
        tried=count,
        accepted=answer["accepted"],
        answered=answer["accepted"] + answer["refused"],
        mean_ms=statistics.fmean(took_ms) if took_ms else 0.0,
    )
