"""Source ports of new connections: each is used again as late as possible.

Left to the kernel, the port of a connection that failed is used again within seconds. On the entry
node the connection tracking still holds the old entry then (120 s for an unanswered one,
nf_conntrack_tcp_timeout_syn_sent), and sends the new connection to the pod that was chosen for the
old one, even when that pod is gone. Clients on many hosts hardly ever meet this; one client that
opens hundreds of connections a second would meet it all the time and blame the service for it.
"""

import random
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_RANGE = (32768, 60999)  # the kernel's own default


class SourcePorts:
    """Goes round the range of ephemeral ports, for each destination on its own.

    At the limit of 200 new connections/s to one entry a port of the driver comes back after 105 s.
    """

    def __init__(self, first: int, last: int, *, start: int | None = None) -> None:
        """`start` is where each round begins; drawn anew where a process must not repeat
        the ports that its predecessor has just used."""
        self._first = first
        self._count = last - first + 1
        self._start = random.randrange(self._count) if start is None else start - first
        self._used: dict[tuple[str, int], int] = {}
        self._parts: dict[tuple[int, int], SourcePorts] = {}

    @classmethod
    def of_the_driver(cls) -> "SourcePorts":
        """The lower three quarters of the range that the kernel gives to clients."""
        first, last = _clients_range()
        return cls(first, _boundary(first, last) - 1)

    @classmethod
    def of_the_sampler(cls) -> "SourcePorts":
        """The upper quarter, so that sampler and driver never follow each other on a port."""
        first, last = _clients_range()
        return cls(_boundary(first, last), last)

    def part(self, index: int, count: int) -> "SourcePorts":
        """One of `count` equal parts of the range, always the same for one who asks again.

        Processes that drive one load together must not follow each other on a port.
        """
        if count == 1:
            return self
        if (index, count) not in self._parts:
            size = self._count // count
            first = self._first + index * size
            self._parts[index, count] = SourcePorts(first, first + size - 1)
        return self._parts[index, count]

    def next(self, destination: tuple[str, int]) -> int:
        """The port for the next connection to `destination`."""
        used = self._used.get(destination, 0)
        self._used[destination] = used + 1
        return self._first + (self._start + used) % self._count


def _clients_range() -> tuple[int, int]:
    try:
        first, last = (int(word) for word in _RANGE.read_text().split())
    except FileNotFoundError:
        return _DEFAULT_RANGE
    return first, last


def _boundary(first: int, last: int) -> int:
    return last - (last - first + 1) // 4 + 1


#: One for the process: a warm driver drives many loads, one after the other.
SOURCE_PORTS = SourcePorts.of_the_driver()
