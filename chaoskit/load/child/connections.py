"""The connections of one stream: a fresh one for each request, or a few held open and used in turn.

Locust's own fast client is not used above its parser: geventhttpclient's HTTPClient sends an
idempotent request again when the connection breaks (`attempts_left` in its client.py), which hides
the very failures that are looked for, and it resolves names in threads.
"""

import errno
import itertools
import socket as stdlib_socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from gevent import socket

from chaoskit import clock
from chaoskit.load.outcome import broken_by
from chaoskit.load.profile import Stream
from chaoskit.load.slot_row import Attempt
from chaoskit.load.source_ports import SourcePorts

#: Ports held by others (kept connections, other programs) are passed over, so many in a row.
_PORTS_TRIED = 100


@dataclass(slots=True)
class Connection:
    """A connected socket; `number` is unique in the load."""

    socket: socket.socket
    number: int
    local_port: int


class Channel:
    """Hands out connections to one stream's address and takes the reusable ones back."""

    def __init__(
        self,
        stream: Stream,
        numbers: Iterator[int],
        ports: SourcePorts,
        *,
        connect_timeout_s: float,
        kept: int,
    ) -> None:
        self._address = (stream.host, stream.port)
        self._family = socket.AF_INET6 if ":" in stream.host else socket.AF_INET
        self._numbers = numbers
        self._ports = ports
        self._connect_timeout_s = connect_timeout_s
        self._kept = kept
        self._idle: deque[Connection] = deque()
        self._open = 0

    def take(self, attempt: Attempt) -> Connection:
        """A connection for `attempt`; raises `Broken` where none can be had.

        Kept connections take turns, least recently used first, so that every pod behind a service
        that holds one is heard. One that the other side has closed while it was idle is dropped
        before anything is sent, as every pooling client does; nothing is ever sent twice.
        """
        while self._idle and self._open >= self._kept:
            connection = self._idle.popleft()
            if _is_quiet(connection.socket):
                attempt.local_port = connection.local_port
                attempt.connection_id = connection.number
                return connection
            self.drop(connection)
        return self._connect(attempt)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it if there are enough."""
        if len(self._idle) < self._kept:
            self._idle.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection that was handed out or idle."""
        self._open -= 1
        connection.socket.close()

    def close(self) -> None:
        """Close the idle ones."""
        while self._idle:
            self.drop(self._idle.popleft())

    def _connect(self, attempt: Attempt) -> Connection:
        attempt.connection_id = next(self._numbers)
        opened = None
        try:
            opened = self._bound()
            opened.settimeout(self._connect_timeout_s)
            opened.connect(self._address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            attempt.local_port = opened.getsockname()[1]
            _refuse_self(opened)
        except BaseException as error:
            if opened is not None:
                attempt.local_port = opened.getsockname()[1] or None
                opened.close()
            if isinstance(error, OSError):
                raise broken_by(error, "connect", sent=False) from error
            raise
        attempt.connected_ns = clock.now_ns()
        self._open += 1
        return Connection(opened, attempt.connection_id, attempt.local_port)

    def _bound(self) -> socket.socket:
        """A socket with a source port of our choice; raises `OSError` where none is free."""
        opened = socket.socket(self._family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for left in reversed(range(_PORTS_TRIED)):
            try:
                opened.bind(("", self._ports.next(self._address)))
                return opened
            except OSError as error:
                if error.errno != errno.EADDRINUSE or not left:
                    opened.close()
                    raise
        raise AssertionError("the last try returns or raises")


def connection_numbers() -> Iterator[int]:
    """Numbers for the connections of one load."""
    return itertools.count(1)


def _refuse_self(opened: socket.socket) -> None:
    """On loopback a port nobody listens on can be connected to itself (simultaneous open)."""
    if opened.getsockname() == opened.getpeername():
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself: nobody listens")


def _is_quiet(held: socket.socket) -> bool:
    """Whether an idle connection still stands: the other side has neither closed nor spoken."""
    held.settimeout(0.0)
    try:
        held.recv(1, stdlib_socket.MSG_PEEK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    return False
