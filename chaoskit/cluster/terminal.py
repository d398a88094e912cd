"""A shell in a node, from this terminal, with nothing but the engine's API."""

import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import termios
import tty
from collections.abc import Iterator

import docker

from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.launch.exec_stream import (
    ExecStream,
    came_with_the_answer,
    plain_socket,
)

_PIECE_BYTES = 65536
# bash where the image has it: history and line editing.
_SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")


def open_shell(client: docker.DockerClient, container: str) -> int:
    """A shell in `container`: interactive on a terminal, else fed from stdin to its end.

    Returns its exit code. Raises `ClusterError` if the node does not run, `EngineError`.
    """
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _interactive(client, container)
    return _piped(client, container)


def _piped(client: docker.DockerClient, container: str) -> int:
    stream = ExecStream(client, container, ["/bin/sh"])
    try:
        stream.send(sys.stdin.buffer.read())
        stream.close_input()
        while piece := stream.recv():
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        sys.stderr.buffer.write(stream.stderr)
        return stream.exit_code()
    finally:
        stream.close()


def _interactive(client: docker.DockerClient, container: str) -> int:
    with engine_errors(f"node {container}"):
        made = client.api.exec_create(
            container,
            list(_SHELL),
            stdin=True,
            tty=True,
            environment={"TERM": os.environ.get("TERM", "xterm")},
        )
        file = client.api.exec_start(made["Id"], tty=True, socket=True)
    connection, first = plain_socket(file), came_with_the_answer(file)

    def resize(*_: object) -> None:
        columns, rows = shutil.get_terminal_size()
        with engine_errors(f"node {container}"):
            client.api.exec_resize(made["Id"], height=rows, width=columns)

    before = signal.signal(signal.SIGWINCH, resize)
    try:
        resize()
        with _raw_terminal():
            os.write(sys.stdout.fileno(), first)
            _pass_on(connection)
    finally:
        signal.signal(signal.SIGWINCH, before)
        file.close()
    with engine_errors(f"node {container}"):
        return int(client.api.exec_inspect(made["Id"])["ExitCode"] or 0)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    settings = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def _pass_on(connection: socket.socket) -> None:
    """Keys to the node, what it writes to the screen, until the shell ends."""
    while True:
        readable, _, _ = select.select([connection, sys.stdin], [], [])
        if connection in readable:
            piece = connection.recv(_PIECE_BYTES)
            if not piece:
                return
            os.write(sys.stdout.fileno(), piece)
        if sys.stdin in readable:
            connection.sendall(os.read(sys.stdin.fileno(), _PIECE_BYTES))
