"""Requests as bytes, read back by the standard library's own server-side parser."""

import io
from http.client import parse_headers
from itertools import islice

import pytest

from chaoskit.load.profile import Operation, Stream
from chaoskit.load.schedule import slots
from chaoskit.load.wire import request_of
from tests.unit.load.loads import READ, WRITE, plan, stream


def _parsed(the_stream: Stream) -> tuple[str, dict[str, str], bytes]:
    (slot,) = islice(slots(plan(the_stream)), 1)
    reader = io.BytesIO(request_of(slot))
    line = reader.readline().decode().strip()
    headers = {name.lower(): value for name, value in parse_headers(reader).items()}
    return line, headers, reader.read()


def test_read_asks_and_sends_nothing() -> None:
    line, headers, body = _parsed(stream(8080, operations=(READ,)))
    assert line == "GET / HTTP/1.1"
    assert headers == {"host": "127.0.0.1:8080", "user-agent": "chaoskit", "accept": "*/*"}
    assert body == b""


def test_write_sends_its_value_under_its_key() -> None:
    (slot,) = islice(slots(plan(stream(8080, operations=(WRITE,)))), 1)
    line, headers, body = _parsed(stream(8080, operations=(WRITE,)))
    assert slot.value is not None
    assert line == "PUT /kv/load-1-0 HTTP/1.1"
    assert body.decode() == slot.value
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize("connection", ["new", "kept"])
def test_only_a_new_connection_is_to_be_closed(connection: str) -> None:
    _, headers, _ = _parsed(stream(8080, connection))
    assert headers.get("connection") == ("close" if connection == "new" else None)


@pytest.mark.parametrize(
    "changes, host",
    [
        ({"host": "::1"}, "[::1]:80"),
        ({"host_header": "shop.example"}, "shop.example"),
        ({"host_header": "shop.example:8443"}, "shop.example:8443"),
    ],
)
def test_host_header(changes: dict[str, str], host: str) -> None:
    assert _parsed(stream(80, **changes))[1]["host"] == host


def test_write_without_a_key_in_its_path() -> None:
    post = Operation(name="write", method="POST", path="/log")
    line, _, body = _parsed(stream(80, operations=(post,)))
    assert line == "POST /log HTTP/1.1"
    assert body.startswith(b"load-1-0-")
