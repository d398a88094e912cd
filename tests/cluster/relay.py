"""A way to the API server that can fall silent without an end, as a lost network path does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Passes bytes on between whoever connects here and a server, until told to hold them."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held = threading.Event()  # whether connections of now are silent
        self._holds_all = False
        self._closed = False
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def hold(self, *, new_ones_too: bool = False) -> None:
        """From now on nothing passes on connections that stand, and they stay open."""
        self._holds_all = new_ones_too
        silent, self._held = self._held, threading.Event()
        silent.set()

    def close(self) -> None:
        """End everything."""
        self._closed = True
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._server)
            except OSError:
                return  # closed
            self._ends += [here, there]
            for source, to in ((here, there), (there, here)):
                threading.Thread(
                    target=self._pass_on, args=(source, to, self._held), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, held: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if held.is_set() or self._holds_all:
                    return  # and both ends stay open
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(server: tuple[str, int]) -> Iterator[Relay]:
    """A context with a relay to that server."""
    relay = Relay(server)
    try:
        yield relay
    finally:
        relay.close()
