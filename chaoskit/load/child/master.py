"""Locust's master, used for its channel only: it passes on what driver and workers say.

Locust's users, statistics and spawning play no part; its heartbeats say who is still there.
"""

import logging
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import HEARTBEAT_INTERVAL, HEARTBEAT_LIVENESS, MasterRunner

from chaoskit.load.child.control import SocketControl
from chaoskit.load.child.relay import FROM_WORKER, GO, TO_WORKER, LocustMessage
from chaoskit.load.messages import (
    FromWorker,
    Left,
    Listening,
    ToWorker,
    packet_of,
    read_from_child,
)

_log = logging.getLogger(__name__)


def serve_workers(control: SocketControl, host: str, port: int, silent_s: float) -> None:
    """Be master until the driver goes, then send the workers away too.

    A worker that is not heard of for `silent_s` is told to the driver as lost. (Locust would say
    so after 3 to 4 s, which a busy machine can make of a live one.)
    """
    runner = Environment().create_master_runner(host, port)
    joined: set[str] = set()

    def hear(msg: LocustMessage, **_: Any) -> None:
        message = read_from_child(msg.data.encode())
        if not isinstance(message, Listening | FromWorker):
            joined.add(msg.node_id)
            control.say(FromWorker(worker=msg.node_id, message=message))

    runner.register_message(FROM_WORKER, hear)
    control.say(Listening(port=runner.server.port))
    watch = gevent.spawn(_watch, runner, joined, control, silent_s)
    while (message := control.next()) is not None:
        if isinstance(message, ToWorker):
            packet = packet_of(message.message).decode()
            _send(runner, packet, message.worker)
    watch.kill()
    for worker in joined:
        _send(runner, GO, worker)
    runner.quit()


def _send(runner: MasterRunner, packet: str, worker: str) -> None:
    runner.send_message(TO_WORKER, packet, client_id=worker)  # type: ignore[arg-type]


def _watch(runner: MasterRunner, joined: set[str], control: SocketControl, silent_s: float) -> None:
    """Tell the driver of workers that are silent, each once."""
    silent_beats = HEARTBEAT_LIVENESS - silent_s / HEARTBEAT_INTERVAL
    left: set[str] = set()
    while True:
        gevent.sleep(HEARTBEAT_INTERVAL)
        for worker in sorted(joined - left):
            node = runner.clients.get(worker)
            # Locust counts down with each beat that is missed, and forgets a worker in the end.
            if node is None or node.heartbeat <= silent_beats:
                left.add(worker)
                _log.warning("worker %s has not been heard of for %.0f s", worker, silent_s)
                control.say(FromWorker(worker=worker, message=Left(silent_s=silent_s)))
