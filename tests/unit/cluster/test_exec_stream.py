"""Reading a command's output: none of it is lost, however the engine's bytes come."""

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from chaoskit.cluster.launch.exec_stream import ExecStream, execute

_UPGRADED = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


class InOnePiece(socketserver.StreamRequestHandler):
    """Answers as an engine does whose client is slow: head and output come in one piece."""

    output = frame(1, b"hello\n") + frame(2, b"a word\n") + frame(1, b"bye\n")

    def handle(self) -> None:
        while line := self.rfile.readline():
            _, path, _ = line.split()
            length = 0
            while (header := self.rfile.readline().strip()) != b"":
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.rfile.read(length)
            if path.endswith(b"/start"):
                self.wfile.write(_UPGRADED + self.output)
                return
            body = json.dumps({"Id": "one", "ExitCode": 0}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
            self.wfile.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def client(tmp_path: Path) -> Iterator[docker.DockerClient]:
    with Engine(str(tmp_path / "engine"), InOnePiece) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        made = docker.DockerClient(base_url=f"unix://{tmp_path}/engine", version="1.41")
        yield made
        made.close()
        server.shutdown()


def test_what_came_with_the_head_of_the_answer_is_not_lost(client: docker.DockerClient) -> None:
    done = execute(client, "node", ["echo"], timeout_s=5)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "hello\nbye\n", "a word\n")


def test_it_can_be_read_at_once(client: docker.DockerClient) -> None:
    stream = ExecStream(client, "node", ["agent"])
    assert stream.wait_readable(timeout_s=0)
    assert stream.recv() == b"hello\nbye\n"
    stream.close()
