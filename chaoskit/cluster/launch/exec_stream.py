"""Commands in a node's container, and byte streams to them, over the engine's API."""

import contextlib
import select
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import docker

from chaoskit import clock
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.node import Completed
from chaoskit.errors import ClusterError, WaitTimeout
from chaoskit.waiting import wait_until

_HEADER = struct.Struct(">BxxxL")
_STDOUT, _STDERR = 1, 2
# `timeout` ends the command in the node; the engine then needs a moment to say so.
_GRACE_S = 3.0
_KILLED = (124, 137)


class StreamBroken(ClusterError, OSError):
    """The way to a command in a node is gone; also an `OSError`, as of any stream."""


class ExecStream:
    """A command's stdin and stdout as one duplex byte stream; stderr is kept for messages."""

    def __init__(self, client: docker.DockerClient, container: str, argv: Sequence[str]) -> None:
        """Start `argv` in `container`; raises `ClusterError` or `EngineError`."""
        self._client = client
        self.container = container
        self._subject = f"{container}: {argv[0]}"
        with engine_errors(self._subject):
            made = client.api.exec_create(container, list(argv), stdin=True)
            self.exec_id = str(made["Id"])
            self._file = client.api.exec_start(self.exec_id, socket=True)
        self._socket = plain_socket(self._file)
        self._closed = False
        self._raw = came_with_the_answer(self._file)
        self._stdout = b""
        self.stderr = b""
        self._sort()

    def send(self, data: bytes) -> None:
        """Write all of `data` to the command; raises `StreamBroken` when it is gone."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._broken(error) from error

    def recv(self, size: int = 65536) -> bytes:
        """Bytes the command wrote to stdout, at least one; empty when it ended.

        Raises `StreamBroken` when the way to it is gone.
        """
        while not self._stdout:
            if not self._fill():
                return b""
        taken, self._stdout = self._stdout[:size], self._stdout[size:]
        return taken

    def wait_readable(self, *, timeout_s: float) -> bool:
        """Whether something can be read, waiting at most `timeout_s`."""
        if self._stdout or self._raw:
            return True
        return bool(select.select([self._socket], [], [], max(0.0, timeout_s))[0])

    @property
    def ended(self) -> bool:
        """Whether the command, or the way to it, is known to be gone."""
        if self._closed:
            return True
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close_input(self) -> None:
        """Tell the command that nothing more comes."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise self._broken(error) from error

    def exit_code(self) -> int:
        """The command's exit code, once `recv` came to its end."""

        def ended() -> tuple[int] | None:
            with engine_errors(self._subject):
                code = self._client.api.exec_inspect(self.exec_id)["ExitCode"]
            return None if code is None else (int(code),)

        # The engine notes the code a moment after it passes on the end of the output.
        return wait_until(
            ended,
            what=f"the exit code of {self._subject}",
            timeout_s=_GRACE_S,
            interval_s=0.02,
            next_step="let the command keep its stdout open as long as it runs",
        )[0]

    def close(self) -> None:
        """Close both ways; a reader in another thread sees the end. May be repeated."""
        if self._closed:
            return
        self._closed = True
        # The other end may have closed already: closed is what was wanted.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self._socket.close()

    def _fill(self) -> bool:
        """Take one more piece from the engine, sorting stdout from stderr; False at the end."""
        try:
            piece = self._socket.recv(65536)
        except OSError as error:
            raise self._broken(error) from error
        if not piece:
            return False
        self._raw += piece
        self._sort()
        return True

    def _sort(self) -> None:
        while len(self._raw) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._raw)
            end = _HEADER.size + length
            if len(self._raw) < end:
                break
            payload, self._raw = self._raw[_HEADER.size : end], self._raw[end:]
            if stream == _STDERR:
                self.stderr += payload
            else:
                self._stdout += payload

    def _broken(self, error: OSError) -> StreamBroken:
        return StreamBroken(
            "the stream to a command in the node broke",
            subject=self._subject,
            seen=f"{type(error).__name__}: {error}",
            next_step="docker ps -a: does the node still run?",
        )


def execute(
    client: docker.DockerClient, container: str, argv: Sequence[str], *, timeout_s: float
) -> Completed:
    """Run `argv` in a container to its end.

    The node itself ends the command after `timeout_s` (with KILL): the engine has no verb for
    that. Raises `WaitTimeout` then, `ClusterError` if the node does not run.
    """
    started_ns = clock.now_ns()
    # busybox and coreutils agree on this spelling.
    limited = ["timeout", "-s", "KILL", f"{max(1, round(timeout_s))}", *argv]
    stream = ExecStream(client, container, limited)
    done = finished(stream, (), timeout_s=timeout_s, command=argv)
    if done.exit_code in _KILLED and (clock.now_ns() - started_ns) / 1e9 >= timeout_s:
        raise _too_slow(container, argv, started_ns, done.stdout)
    return done


def finished(
    stream: ExecStream,
    stdin: Iterable[bytes],
    *,
    timeout_s: float,
    command: Sequence[str],
) -> Completed:
    """Give a command its input and read to its end; closes the stream.

    `command` is what messages call it. Raises `WaitTimeout` a moment after `timeout_s`, when who
    should have ended it by then has not; `StreamBroken`.
    """
    started_ns = clock.now_ns()
    try:
        for piece in stdin:
            stream.send(piece)
        stream.close_input()
        output = b""
        while True:
            left_s = timeout_s + _GRACE_S - (clock.now_ns() - started_ns) / 1e9
            if not stream.wait_readable(timeout_s=left_s):
                raise _too_slow(
                    stream.container, command, started_ns, output.decode(errors="replace")
                )
            if not (piece := stream.recv()):
                break
            output += piece
    finally:
        stream.close()
    return Completed(
        exit_code=stream.exit_code(),
        stdout=output.decode(errors="replace"),
        stderr=stream.stderr.decode(errors="replace"),
    )


def _too_slow(container: str, argv: Sequence[str], started_ns: int, output: str) -> WaitTimeout:
    return WaitTimeout(
        f"waited for the end of {' '.join(argv)}",
        subject=f"node {container}",
        seen=output[-500:] or "no output",
        spent_s=(clock.now_ns() - started_ns) / 1e9,
        next_step="a longer timeout_s, or look at what the command waits for",
    )


def plain_socket(file: Any) -> socket.socket:
    """The socket under what docker's client returns for a hijacked connection."""
    plain = getattr(file, "_sock", file)
    if not isinstance(plain, socket.socket):
        raise ClusterError(
            "this connection to the engine cannot carry streams",
            seen=type(plain).__name__,
            next_step="reach the engine by its unix socket or by plain TCP",
        )
    return plain


def came_with_the_answer(file: Any) -> bytes:
    """The stream's first bytes, where they were read together with the head of the HTTP answer.

    docker's client hands over the bare socket, past the buffer through which it read that head. A
    command that writes at once, on a busy machine, is in that buffer with all it had to say.
    """
    reader = file._response.raw._fp.fp  # as docker's client itself comes by the socket
    connection = plain_socket(file)
    connection.setblocking(False)
    try:
        read: bytes = reader.peek()
    finally:
        connection.settimeout(None)
    return read
