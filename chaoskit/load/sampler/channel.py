"""The connections of one sampled stream, on asyncio."""

import asyncio
import errno
import itertools
import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from chaoskit import clock
from chaoskit.load.outcome import broken_by
from chaoskit.load.profile import Stream
from chaoskit.load.slot_row import Attempt
from chaoskit.load.source_ports import SourcePorts

_PORTS_TRIED = 20


@dataclass(slots=True)
class Connection:
    """A connected socket; `number` is unique in the sampler."""

    socket: socket.socket
    number: int
    local_port: int


class Channel:
    """Hands out connections to one stream's address and takes the reusable ones back."""

    def __init__(
        self,
        stream: Stream,
        ports: SourcePorts,
        numbers: Iterator[int],
        *,
        connect_timeout_s: float,
        kept: int,
    ) -> None:
        self._address = (stream.host, stream.port)
        self._family = socket.AF_INET6 if ":" in stream.host else socket.AF_INET
        self._ports = ports
        self._numbers = numbers
        self._connect_timeout_s = connect_timeout_s
        self._kept = kept
        self._idle: deque[Connection] = deque()
        self._open = 0

    async def take(self, attempt: Attempt) -> Connection:
        """A connection, kept ones in turn; raises `Broken` where none can be had."""
        while self._idle and self._open >= self._kept:
            connection = self._idle.popleft()
            if _is_quiet(connection.socket):
                attempt.local_port = connection.local_port
                attempt.connection_id = connection.number
                return connection
            self.drop(connection)
        return await self._connect(attempt)

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next request, or close it if there are enough."""
        if len(self._idle) < self._kept:
            self._idle.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close one that was handed out or idle."""
        self._open -= 1
        connection.socket.close()

    def close(self) -> None:
        """Close the idle ones."""
        while self._idle:
            self.drop(self._idle.popleft())

    async def _connect(self, attempt: Attempt) -> Connection:
        attempt.connection_id = next(self._numbers)
        opened = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._bind(opened)
            attempt.local_port = opened.getsockname()[1]
            async with asyncio.timeout(self._connect_timeout_s):
                await asyncio.get_running_loop().sock_connect(opened, self._address)
            if opened.getsockname() == opened.getpeername():
                raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")
        except BaseException as error:
            opened.close()
            if isinstance(error, OSError):
                raise broken_by(error, "connect", sent=False) from error
            raise
        attempt.connected_ns = clock.now_ns()
        self._open += 1
        return Connection(opened, attempt.connection_id, attempt.local_port)

    def _bind(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for left in reversed(range(_PORTS_TRIED)):
            try:
                opened.bind(("", self._ports.next(self._address)))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE or not left:
                    raise


def connection_numbers() -> Iterator[int]:
    """Numbers for the connections of one sampler."""
    return itertools.count(1)


def _is_quiet(held: socket.socket) -> bool:
    """Whether an idle connection still stands: the other side has neither closed nor spoken."""
    try:
        held.recv(1, socket.MSG_PEEK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    return False
