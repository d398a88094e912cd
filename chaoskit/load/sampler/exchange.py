"""One request and its answer on one connection, parsed by h11."""

import asyncio
from collections.abc import Iterable

import h11

from chaoskit.load.outcome import Broken, broken_by
from chaoskit.load.sampler.channel import Connection
from chaoskit.load.schedule import Slot
from chaoskit.load.slot_row import Attempt
from chaoskit.load.wire import request_of

_BLOCK_BYTES = 16_384


class Answer:
    """A complete answer: its status and headers."""

    def __init__(self, response: h11.Response, *, reusable: bool) -> None:
        self.status = response.status_code
        self.reusable = reusable
        self._headers = _texts(response.headers)

    def text(self, header: str) -> str | None:
        """A header's value; None if it is absent or empty."""
        return self._headers.get(header) or None

    def number(self, header: str) -> int | None:
        """A header's value as a whole number; None if it is not one."""
        value = self.text(header)
        return int(value) if value is not None and value.isascii() and value.isdigit() else None


async def exchange(
    connection: Connection, slot: Slot, attempt: Attempt, *, answer_timeout_s: float
) -> Answer:
    """Send the slot's request and read its answer, both within `answer_timeout_s`.

    Raises `Broken` with the error class and phase.
    """
    parser = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method=slot.operation.method,
        target="/",
        headers=[("Host", "sampled")] + [("Connection", "close")] * _is_last(slot),
    )
    # The parser must know what was asked for, to tell where the answer ends; what goes over the
    # wire are the same bytes that the driver sends.
    parser.send(request)
    parser.send(h11.EndOfMessage())
    try:
        async with asyncio.timeout(answer_timeout_s):
            await _send(connection, request_of(slot), attempt)
            return await _read(connection, parser, attempt)
    except OSError as error:
        raise broken_by(error, attempt.phase, sent=attempt.request_sent) from error
    except h11.RemoteProtocolError as error:
        kind = "truncated" if attempt.phase == "body" else "protocol"
        raise Broken(kind, attempt.phase, sent=True) from error


async def _send(connection: Connection, request: bytes, attempt: Attempt) -> None:
    attempt.phase = "send"
    loop = asyncio.get_running_loop()
    accepted = connection.socket.send(request)
    attempt.request_sent = accepted > 0
    if accepted < len(request):
        await loop.sock_sendall(connection.socket, request[accepted:])
    attempt.phase = "wait"


async def _read(connection: Connection, parser: h11.Connection, attempt: Attempt) -> Answer:
    loop = asyncio.get_running_loop()
    response: h11.Response | None = None
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            data = await loop.sock_recv(connection.socket, _BLOCK_BYTES)
            if not data and attempt.phase == "wait" and not parser.trailing_data[0]:
                raise Broken("closed", "wait", sent=True)
            parser.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
            attempt.phase = "body"
        elif isinstance(event, h11.EndOfMessage):
            assert response is not None  # the parser tells of an end only after the head
            return Answer(response, reusable=parser.their_state is h11.DONE)


def _is_last(slot: Slot) -> bool:
    return slot.stream.connection == "new"


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; one that is given twice tells nothing, so it is left out."""
    texts: dict[str, str] = {}
    twice = set()
    for name, value in headers:
        key = name.decode("ascii")
        if key in texts:
            twice.add(key)
        texts[key] = value.decode("latin-1")
    return {key: value for key, value in texts.items() if key not in twice}
