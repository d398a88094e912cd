"""A slot's request as it goes over the wire (HTTP/1.1, RFC 9112). Pure."""

from chaoskit.load.profile import Stream
from chaoskit.load.schedule import Slot


def request_of(slot: Slot) -> bytes:
    """The request of a slot as it goes over the wire."""
    stream, operation = slot.stream, slot.operation
    path = operation.path.replace("{key}", slot.key) if slot.key else operation.path
    head = f"{operation.method} {path} HTTP/1.1\r\nHost: {_host_header(stream)}\r\n"
    head += "User-Agent: chaoskit\r\nAccept: */*\r\n"
    if stream.connection == "new":
        head += "Connection: close\r\n"
    if slot.value is None:
        return f"{head}\r\n".encode("ascii")
    return f"{head}Content-Length: {len(slot.value)}\r\n\r\n{slot.value}".encode("ascii")


def _host_header(stream: Stream) -> str:
    host = f"[{stream.host}]" if ":" in stream.host else stream.host
    return stream.host_header or f"{host}:{stream.port}"
