"""One request and its answer on one connection: sent once, read to its end, never repeated."""

from geventhttpclient.response import HTTPParseError, HTTPResponse

from chaoskit import clock
from chaoskit.load.child.connections import Connection
from chaoskit.load.outcome import Broken, broken_by
from chaoskit.load.schedule import Slot
from chaoskit.load.slot_row import Attempt
from chaoskit.load.wire import request_of

_BLOCK_BYTES = 16_384
_FIRST_FINAL_STATUS = 200  # 1xx answers announce a final one on the same connection


class Answer(HTTPResponse):
    """An answer whose body is counted, not stored."""

    def __init__(self, method: str) -> None:
        super().__init__(method=method)
        self.body_bytes = 0

    def _on_body(self, buf: bytearray) -> None:
        self.body_bytes += len(buf)

    @property
    def is_complete(self) -> bool:
        """The final answer has been read to its end."""
        return self.message_complete and self.get_code() >= _FIRST_FINAL_STATUS

    def text(self, header: str) -> str | None:
        """A header's value; None if it is absent, empty or given twice."""
        value = self.get(header)
        return value if isinstance(value, str) and value else None

    def number(self, header: str) -> int | None:
        """A header's value as a whole number; None if it is not one."""
        value = self.text(header)
        return int(value) if value is not None and value.isascii() and value.isdigit() else None


def exchange(
    connection: Connection, slot: Slot, attempt: Attempt, *, answer_timeout_s: float
) -> Answer:
    """Send the slot's request and read its answer, both within `answer_timeout_s`.

    Raises `Broken` with the error class and phase. As long as the first send was refused as a
    whole, no byte has left and a write surely had no effect.
    """
    deadline_ns = clock.now_ns() + int(answer_timeout_s * 1e9)
    answer = Answer(slot.operation.method)
    try:
        _send(connection, request_of(slot), attempt, answer_timeout_s)
        _read(connection, answer, attempt, deadline_ns)
    except OSError as error:
        raise broken_by(error, attempt.phase, sent=attempt.request_sent) from error
    except HTTPParseError as error:
        raise Broken("protocol", attempt.phase, sent=True) from error
    return answer


def _send(connection: Connection, request: bytes, attempt: Attempt, timeout_s: float) -> None:
    attempt.phase = "send"
    connection.socket.settimeout(timeout_s)
    accepted = connection.socket.send(request)
    attempt.request_sent = accepted > 0
    if accepted < len(request):
        attempt.request_sent = True  # sendall may hand over some bytes before it fails
        connection.socket.sendall(request[accepted:])
    attempt.phase = "wait"


def _read(connection: Connection, answer: Answer, attempt: Attempt, deadline_ns: int) -> None:
    anything = False
    while not answer.is_complete:
        left_s = (deadline_ns - clock.now_ns()) / 1e9
        if left_s <= 0:
            raise TimeoutError
        connection.socket.settimeout(left_s)
        data = connection.socket.recv(_BLOCK_BYTES)
        if not data:
            _end_of_stream(answer, attempt, anything=anything)
            return
        anything = True
        answer.feed(data)
        if answer.headers_complete and answer.get_code() >= _FIRST_FINAL_STATUS:
            attempt.phase = "body"


def _end_of_stream(answer: Answer, attempt: Attempt, *, anything: bool) -> None:
    """The other side closed: the end of an answer that needs no length, else a broken one."""
    if not anything:
        raise Broken("closed", attempt.phase, sent=True)
    try:
        answer.feed(b"")
    except HTTPParseError as error:
        raise Broken("truncated", attempt.phase, sent=True) from error
    if not answer.is_complete:
        raise Broken("truncated", attempt.phase, sent=True)
