"""The child's end of the socket pair: the driver's messages come in, health goes out."""

import logging
import os
import socket as stdlib_socket
from typing import Protocol

import gevent
import gevent.queue
from gevent import socket

from chaoskit.load.messages import (
    MAX_PACKET_BYTES,
    FromChild,
    FromWorker,
    Health,
    ToChild,
    packet_of,
    read_to_child,
)

_log = logging.getLogger(__name__)
_PARENT_CHECK_S = 0.5
_SAY_TIMEOUT_S = 5.0


class Control(Protocol):
    """Where a load's orders come from."""

    def next(self) -> ToChild | None:
        """Wait for the driver's next message; None once the driver is gone."""
        ...

    def say(self, message: FromChild) -> None:
        """Tell the driver something."""
        ...


class SocketControl:
    """Listens in the background. `None` in `inbox` means that the driver's process is gone."""

    def __init__(self, descriptor: int, parent: int) -> None:
        self._in = socket.socket(fileno=descriptor)
        self._out = self._in.dup()
        self._parent = parent
        self.inbox: gevent.queue.Queue[ToChild | None] = gevent.queue.Queue()
        self._listener = gevent.spawn(self._listen)
        self._watch = gevent.spawn(self._watch_parent)

    def next(self) -> ToChild | None:
        """Wait for the driver's next message; None once the driver is gone."""
        message: ToChild | None = self.inbox.get()
        return message

    def say(self, message: FromChild) -> None:
        """Send a message. `Health` is dropped while the driver does not read: it repeats."""
        inner = message.message if isinstance(message, FromWorker) else message
        self._out.settimeout(0.0 if isinstance(inner, Health) else _SAY_TIMEOUT_S)
        try:
            self._out.send(packet_of(message))
        except BlockingIOError:
            _log.info("the driver does not read; health of this second was not told")
        except OSError as error:
            _log.warning("could not tell the driver %s: %s", type(message).__name__, error)

    def _listen(self) -> None:
        while True:
            try:
                packet = self._receive()
            except ConnectionResetError:
                packet = b""
            self.inbox.put(read_to_child(packet) if packet else None)
            if not packet:
                return

    def _receive(self) -> bytes:
        packet, descriptors, _, _ = stdlib_socket.recv_fds(self._in, MAX_PACKET_BYTES, 1)
        if not descriptors:
            return packet
        with open(descriptors[0], "rb") as file:
            file.seek(0)
            return file.read()

    def _watch_parent(self) -> None:
        """A copy of the driver's end may live on in a forked process: the parent's id does not."""
        while os.getppid() == self._parent:
            gevent.sleep(_PARENT_CHECK_S)
        self.inbox.put(None)
