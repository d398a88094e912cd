"""Loads in closed loop: each user waits for its answer before it goes on.

Such a load shows what a person or a batch of clients meets, sessions and all. It does not press: a
service that hangs is asked less, so that an outage shows in fewer requests than an open loop
would have sent (docs/design/load-and-record.md).
"""

import ipaddress
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from chaoskit.load.checks import check_range, refused
from chaoskit.load.profile import (
    MAX_RATE_PER_S,
    MAX_TIMEOUT_S,
    Stream,
    check_address,
    check_load,
    check_new_connections,
    check_streams,
    check_timeouts,
)
from chaoskit.load.steady import WINDOW_S

#: Bound on the users of one load: each is a greenlet and holds connections of its own.
MAX_USERS = 1_000
MAX_WAIT_S = 3600.0
_PORTS = {"http": 80, "https": 443}


class ClosedPlan(msgspec.Struct, frozen=True, kw_only=True, tag="closed"):
    """`users` users; each sends a request, waits for its answer, then for a time between the two
    of `wait_s`, and sends the next one, on a stream chosen by share.

    Each user has connections of its own: a kept one for each stream of that kind. `max_run_s` ends
    the load even if nobody stops it. Raises `UsageError`, naming the value and its limit: what all
    users would send to a service that answers at once is bounded as the rate of an open loop is.
    """

    load_id: str
    streams: tuple[Stream, ...]
    users: int
    wait_s: tuple[float, float]
    seed: int
    connect_timeout_s: float = 2.0
    answer_timeout_s: float = 5.0
    max_run_s: float = 3600.0

    def __post_init__(self) -> None:
        subject = check_load(self.load_id, self.max_run_s)
        check_streams(subject, self.streams)
        check_timeouts(subject, self.connect_timeout_s, self.answer_timeout_s)
        check_range(subject, "users", self.users, 1, MAX_USERS)
        shortest_s, longest_s = self.wait_s
        if not shortest_s <= longest_s:
            raise refused(subject, f"wait_s={self.wait_s}", "give the shorter wait first")
        check_range(subject, "the longest wait_s", longest_s, 0.0, MAX_WAIT_S)
        least_s = self.users / MAX_RATE_PER_S
        check_range(subject, "the shortest wait_s", shortest_s, least_s, MAX_WAIT_S)
        check_new_connections(subject, self.streams, self.highest_rate_per_s)

    @property
    def highest_rate_per_s(self) -> float:
        """What the users send if every answer comes at once and every wait is the shortest."""
        return self.users / self.wait_s[0]

    @property
    def drain_s(self) -> float:
        """The longest that a request may be under way."""
        return self.connect_timeout_s + self.answer_timeout_s

    @property
    def steady_window_s(self) -> float:
        """In this time every user of a steady load has been served."""
        return self.wait_s[1] + WINDOW_S

    @property
    def described(self) -> str:
        """For people."""
        return f"{self.users} users, waits of {self.wait_s[0]:g} to {self.wait_s[1]:g} s"


class LocustfilePlan(msgspec.Struct, frozen=True, kw_only=True, tag="locustfile"):
    """The users of a locustfile, run as Locust runs them.

    `host` (such as "http://10.0.0.7:8080") takes the place of the User classes' own; it is a
    loopback or private address, or a name that resolves to such only. `user_classes` are the names
    of those to run; none means all in the file. `steady_window_s` is the time in which every user
    of a steady load has been served. When the load is stopped, users may end their tasks within
    `drain_s`. Sending elsewhere (absolute URLs, redirects) is the file's own business, and so are
    its rate and time-outs. The seed fixes Locust's random choices as far as the order of events is
    the same. Raises `UsageError`, naming the value and its limit.
    """

    load_id: str
    path: str
    users: int
    host: str
    seed: int
    spawn_rate_per_s: float = 10.0
    user_classes: tuple[str, ...] = ()
    drain_s: float = 10.0
    steady_window_s: float = 10.0
    max_run_s: float = 3600.0

    def __post_init__(self) -> None:
        subject = check_load(self.load_id, self.max_run_s)
        if not Path(self.path).is_absolute():
            raise refused(subject, self.path, "give the locustfile's absolute path")
        check_range(subject, "users", self.users, 1, MAX_USERS)
        check_range(subject, "spawn_rate_per_s", self.spawn_rate_per_s, 0.1, 100.0)
        check_range(subject, "drain_s", self.drain_s, 0.1, MAX_TIMEOUT_S)
        check_range(subject, "steady_window_s", self.steady_window_s, WINDOW_S, MAX_WAIT_S)
        name, _ = self.address
        if _is_numeric(name):
            check_address(subject, name)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Not known beforehand: requests show what they are called."""
        return ()

    @property
    def address(self) -> tuple[str, int]:
        """The host's name or address, and its port. Raises `UsageError`."""
        subject = f"load {self.load_id}"
        try:
            url = urlsplit(self.host)
            name, port = url.hostname, url.port
        except ValueError as error:
            next_step = "give a host such as http://10.0.0.7:8080"
            raise refused(subject, f"{self.host}: {error}", next_step) from error
        if url.scheme not in _PORTS or not name:
            raise refused(subject, self.host, "give a host such as http://10.0.0.7:8080")
        return name, port or _PORTS[url.scheme]

    @property
    def described(self) -> str:
        """For people."""
        name, port = self.address  # the host as it was given may hold a password
        return f"{self.users} users of {Path(self.path).name} at {name}:{port}"

    def check_resolved(self) -> None:
        """Raises `UsageError` unless the host resolves, and to local addresses only."""
        subject = f"load {self.load_id}"
        name, port = self.address
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise refused(subject, f"{name}: {error}", "give a host that resolves") from error
        for *_, address in found:
            check_address(f"{subject} to {name}", str(address[0]))


def _is_numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
