"""What a load is, as frozen values checked where they are made: operations, streams, the plan."""

import ipaddress
import math
import re
from collections import defaultdict
from typing import Literal

import msgspec

from chaoskit.load.checks import check_range, refused
from chaoskit.load.rates import Constant, Replay, Shape

#: Bound on the planned rate of one load; a slip of the keyboard must not flood a network.
MAX_RATE_PER_S = 5_000.0
#: New connections a second from one source to one entry: 28,000 ephemeral ports and 60 s of
#: TIME_WAIT allow 470; beyond about half of that conntrack starts to reuse entries.
MAX_NEW_CONNECTIONS_PER_S = 200.0
#: Bound on requests in flight, whatever rate and timeouts ask for: each holds a descriptor.
MAX_IN_FLIGHT = 4_000
#: Bound on the connections that a kept stream holds open.
MAX_KEPT = 100
#: A kept stream holds enough for answers that take this long; more are opened when they are slower.
_KEPT_FOR_S = 0.02
_LEAST_KEPT = 4
MAX_RUN_S = 24 * 3600.0
MAX_TIMEOUT_S = 300.0
MAX_STREAMS = 100

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_HOST_HEADER = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_PATH = re.compile(r"/[!-~]*")
_METHODS = {"read": ("GET", "HEAD"), "write": ("PUT", "POST", "DELETE", "PATCH")}
_LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # shared address space (RFC 6598), used by pod networks
        "::1/128",
        "fc00::/7",  # unique local addresses (RFC 4193)
    )
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request. `{key}` in the path becomes the slot's own key; a write's body is its
    unique value. `weight` is its share among the operations of the stream.

    Raises `UsageError` for a method that does not fit the name or a path that is not one.
    """

    name: Literal["read", "write"]
    method: str
    path: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in _METHODS:
            raise refused("operation", self.name, "name it read or write")
        if self.method not in _METHODS[self.name]:
            allowed = ", ".join(_METHODS[self.name])
            raise refused(f"operation {self.name}", self.method, f"use one of {allowed}")
        if not _PATH.fullmatch(self.path) or self.path.startswith("//"):
            raise refused(f"operation {self.name}", self.path, "give a path such as /kv/{key}")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise refused(f"operation {self.name}", self.weight, "give a weight above 0")


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One way of sending requests: new or kept connections, through one entry.

    `entry` is the name (node or key-value member) behind `host`:`port`, `host` a numeric address;
    `share` is the stream's part of the load's rate in relation to the other streams';
    `host_header` is sent in place of the address where a virtual host is meant; `service` is the
    name of the Service behind the entry, for whoever reads the record.
    Raises `UsageError` for an address that is neither loopback nor private.
    """

    name: str
    connection: Literal["new", "kept"]
    entry: str
    host: str
    port: int
    operations: tuple[Operation, ...]
    share: int = 1
    host_header: str = ""
    service: str = ""

    def __post_init__(self) -> None:
        subject = f"stream {self.name}"
        if not self.name or not self.entry:
            raise refused(subject, (self.name, self.entry), "give the stream and entry a name")
        if self.connection not in ("new", "kept"):
            raise refused(subject, self.connection, "use new or kept")
        check_address(subject, self.host)
        if not 1 <= self.port <= 65_535:
            raise refused(subject, self.port, "give a port between 1 and 65535")
        if not self.operations:
            raise refused(subject, "no operations", "give it at least one operation")
        if self.host_header and not _HOST_HEADER.fullmatch(self.host_header):
            raise refused(subject, self.host_header, "give a host name, with :port if needed")
        if not 1 <= self.share <= 100:
            raise refused(subject, self.share, "give a share between 1 and 100")


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True, tag="open"):
    """A whole load in open loop: each slot is sent when it is due, whatever became of the others.

    Give `rate_per_s` or, for a rate that changes, `shape` (load/rates.py); both are the total over
    all streams. A connection must stand within `connect_timeout_s`; the answer must be complete
    within `answer_timeout_s` of the moment the request left. `max_in_flight` 0 means the highest
    rate times both timeouts. `kept_connections` are held open by each kept stream and used in
    turn; 0 means 4, or more at high rates. `max_run_s` ends the load even if nobody stops it.
    Raises `UsageError`, naming the value and its limit.
    """

    load_id: str
    streams: tuple[Stream, ...]
    seed: int
    rate_per_s: float = 0.0
    shape: Shape | None = None
    arrivals: Literal["uniform", "poisson"] = "uniform"
    connect_timeout_s: float = 2.0
    answer_timeout_s: float = 5.0
    max_in_flight: int = 0
    kept_connections: int = 0
    max_run_s: float = 3600.0

    def __post_init__(self) -> None:
        subject = check_load(self.load_id, self.max_run_s)
        check_streams(subject, self.streams)
        check_timeouts(subject, self.connect_timeout_s, self.answer_timeout_s)
        if self.arrivals not in ("uniform", "poisson"):
            raise refused(subject, self.arrivals, "arrivals are uniform or poisson")
        if self.shape is not None and self.rate_per_s:
            raise refused(subject, f"rate_per_s={self.rate_per_s}", "leave it out beside a shape")
        if isinstance(self.shape, Replay) and self.arrivals != "uniform":
            raise refused(subject, self.arrivals, "leave arrivals out: a replay has its own")
        field = "rate_per_s" if self.shape is None else f"the highest rate of {self.described}"
        check_range(subject, field, self.highest_rate_per_s, 0.1, MAX_RATE_PER_S)
        check_range(subject, "max_in_flight", self.max_in_flight, 0, MAX_IN_FLIGHT)
        check_range(subject, "kept_connections", self.kept_connections, 0, MAX_KEPT)
        check_new_connections(subject, self.streams, self.highest_rate_per_s)

    @property
    def rates(self) -> Shape:
        """How the rate goes over time."""
        return self.shape if self.shape is not None else Constant(rate_per_s=self.rate_per_s)

    @property
    def highest_rate_per_s(self) -> float:
        """The rate, or the highest one of the shape."""
        return self.rate_per_s if self.shape is None else self.shape.highest_per_s

    @property
    def described(self) -> str:
        """For people."""
        return f"{self.arrivals} arrivals, {self.rates.described}"

    @property
    def drain_s(self) -> float:
        """The longest that a request may be under way."""
        return self.connect_timeout_s + self.answer_timeout_s

    @property
    def in_flight_limit(self) -> int:
        """Requests allowed in flight; a slot beyond them is recorded as unsent."""
        if self.max_in_flight:
            return self.max_in_flight
        wanted = math.ceil(self.highest_rate_per_s * self.drain_s)
        return max(16, min(wanted, MAX_IN_FLIGHT))

    def stream_rate_per_s(self, stream: Stream) -> float:
        """The part of the highest rate that falls to one of the streams."""
        return self.highest_rate_per_s * stream.share / sum(each.share for each in self.streams)

    def kept_by(self, stream: Stream) -> int:
        """Connections that the stream holds open: none if it opens one for each request."""
        if stream.connection == "new":
            return 0
        wanted = math.ceil(self.stream_rate_per_s(stream) * _KEPT_FOR_S)
        return self.kept_connections or max(_LEAST_KEPT, min(wanted, MAX_KEPT))


def check_load(load_id: str, max_run_s: float) -> str:
    """What every load has. Returns how errors name it."""
    if not _NAME.fullmatch(load_id):
        raise refused("load", load_id, "use letters, digits, '.', '_' and '-' (63)")
    subject = f"load {load_id}"
    check_range(subject, "max_run_s", max_run_s, 1.0, MAX_RUN_S)
    return subject


def check_streams(subject: str, streams: tuple[Stream, ...]) -> None:
    """As many as are allowed, each with a name of its own."""
    names = [stream.name for stream in streams]
    if not 0 < len(names) <= MAX_STREAMS or len(set(names)) != len(names):
        raise refused(subject, names, f"give 1 to {MAX_STREAMS} streams, each its own name")


def check_timeouts(subject: str, connect_timeout_s: float, answer_timeout_s: float) -> None:
    """Within their bounds."""
    check_range(subject, "connect_timeout_s", connect_timeout_s, 0.01, MAX_TIMEOUT_S)
    check_range(subject, "answer_timeout_s", answer_timeout_s, 0.01, MAX_TIMEOUT_S)


def check_new_connections(
    subject: str, streams: tuple[Stream, ...], highest_rate_per_s: float
) -> None:
    """No entry gets more new connections a second than one source can open for long."""
    shares = sum(each.share for each in streams)
    rates: dict[tuple[str, int], float] = defaultdict(float)
    for stream in streams:
        if stream.connection == "new":
            rates[stream.host, stream.port] += highest_rate_per_s * stream.share / shares
    for (host, port), rate_per_s in rates.items():
        if rate_per_s > MAX_NEW_CONNECTIONS_PER_S:
            raise refused(
                f"{subject} to {host}:{port}",
                f"{rate_per_s:.1f} new connections/s",
                f"stay at or below {MAX_NEW_CONNECTIONS_PER_S:.0f}/s an entry (ports run out); "
                "use kept connections for more",
            )


def check_address(subject: str, host: str) -> None:
    """Raises `UsageError` unless `host` is a numeric address, loopback or private."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise refused(subject, host, "give a numeric address: names are not resolved") from None
    if not any(address in network for network in _LOCAL_NETWORKS):
        raise refused(subject, host, "load goes to loopback and private addresses only")
