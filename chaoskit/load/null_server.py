"""A server that does nothing but answer, to measure the driver against: `python -m …null_server`.

It listens on one port at many loopback addresses (a limit on new connections holds for each
address), prints the port, and ends with its standard input.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from chaoskit.errors import LoadError
from chaoskit.load.profile import MAX_NEW_CONNECTIONS_PER_S, LoadPlan, Operation, Stream

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n"
    b"X-Chaoskit-Pod: null-0\r\nX-Chaoskit-Pod-Uid: 5b0c1d5e-0000-0000-0000-000000000000\r\n"
    b"X-Chaoskit-Node: node-1\r\nX-Chaoskit-Revision: v1\r\nX-Chaoskit-Boot: b-1\r\n"
    b"X-Chaoskit-Sequence: 1\r\n\r\nok"
)
_ADDRESSES = tuple(f"127.0.0.{last}" for last in range(2, 27))
_BACKLOG = 4096
_END_WITHIN_S = 5.0
# Three reads to one write, as a key-value load has them.
_OPERATIONS = (
    Operation(name="read", method="GET", path="/", weight=3),
    Operation(name="write", method="PUT", path="/kv/{key}"),
)


class _Answering(asyncio.Protocol):
    """Answers each packet of at most one request, without reading what it asks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)
        if b"Connection: close" in data:
            self._transport.close()


@contextlib.contextmanager
def null_server() -> Iterator[int]:
    """A context with such a server in a process of its own; its port. Raises `LoadError`."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "chaoskit.load.null_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the harness, whose end ends it
    ) as process:
        assert process.stdin is not None  # asked for above
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise LoadError(
                    "the server for calibration did not start",
                    subject=f"process {process.pid}",
                    seen=f"exit code {process.wait(_END_WITHIN_S)}",
                )
            yield int(line)
        finally:
            process.stdin.close()
            try:
                process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def null_plan(load_id: str, connection: str, rate_per_s: float, port: int) -> LoadPlan:
    """A load of that rate on one kind of connection, over as many addresses as it needs."""
    entries = 1
    if connection == "new":
        entries = -int(-rate_per_s // MAX_NEW_CONNECTIONS_PER_S)
    streams = tuple(
        Stream(
            name=f"{connection} {number}",
            connection="new" if connection == "new" else "kept",
            entry=f"null-{number}",
            host=_ADDRESSES[number],
            port=port,
            operations=_OPERATIONS,
        )
        for number in range(entries)
    )
    return LoadPlan(load_id=load_id, streams=streams, rate_per_s=rate_per_s, seed=1)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    port = 0
    servers = []
    for address in _ADDRESSES:
        server = await loop.create_server(_Answering, address, port, backlog=_BACKLOG)
        port = server.sockets[0].getsockname()[1]
        servers.append(server)
    os.write(sys.stdout.fileno(), f"{port}\n".encode())
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
