"""A worker's entry: `python -m chaoskit.load.child.worker HOST PORT RECORD_FOLDER [SILENT_S]`.

Started by whoever wants load to come from another place: a client container, a pod in the target
cluster. It connects to the master of a `Workers` driver (load/workers.py), drives its parts of
that one's loads, records them into its own folder, and ends with the driver, or when the master
has been silent for SILENT_S seconds (10).

All planned times are moments of CLOCK_MONOTONIC, which only processes on one host's kernel share.
Exit codes as those of the child.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import gevent
import gevent.queue
import locust  # first: its import patches what all later ones use
import msgspec
from locust.env import Environment
from locust.runners import WorkerRunner

from chaoskit import clock
from chaoskit.load.child.relay import FROM_WORKER, GO, TO_WORKER, LocustMessage
from chaoskit.load.child.serve import prepare_this_process, serve
from chaoskit.load.messages import Begin, FromChild, ToChild, packet_of, read_to_child

_log = logging.getLogger(__name__)
_ORPHANED = 3
#: Locust's master answers a heartbeat each second.
_SILENT_S = 10.0


class WorkerControl:
    """The worker's end of Locust's channel. Orders to begin are turned to this worker's folder."""

    def __init__(self, host: str, port: int, record_folder: Path, silent_s: float) -> None:
        self._folder = record_folder
        self._silent_s = silent_s
        self._inbox: gevent.queue.Queue[ToChild | None] = gevent.queue.Queue()
        self._heard_ns = clock.now_ns()
        environment = Environment()
        environment.events.heartbeat_received.add_listener(self._beat)  # type: ignore[no-untyped-call]
        self._runner: WorkerRunner = environment.create_worker_runner(host, port)
        self._runner.register_message(TO_WORKER, self._hear)
        self._watch = gevent.spawn(self._watch_master)

    def next(self) -> ToChild | None:
        """Wait for the driver's next message; None once it or the master is gone."""
        message: ToChild | None = self._inbox.get()
        return message

    def say(self, message: FromChild) -> None:
        """Tell the driver something."""
        try:
            self._runner.send_message(FROM_WORKER, packet_of(message).decode())  # type: ignore[arg-type]
        except locust.exception.RPCError as error:
            _log.warning("could not tell the master %s: %s", type(message).__name__, error)

    def _hear(self, msg: LocustMessage, **_: Any) -> None:
        if msg.data == GO:
            self._inbox.put(None)
            return
        message = read_to_child(msg.data.encode())
        if isinstance(message, Begin):
            name = message.part.load_id(message.plan.load_id)
            log = self._folder / f"{name}.log"
            message = msgspec.structs.replace(
                message, record_folder=str(self._folder), log_path=str(log)
            )
        self._inbox.put(message)

    def _watch_master(self) -> None:
        while True:
            gevent.sleep(1.0)
            if clock.now_ns() - self._heard_ns > self._silent_s * 1e9:
                _log.warning("the master has not been heard of for %.0f s", self._silent_s)
                self._inbox.put(None)
                return

    def _beat(self, **_: Any) -> None:
        self._heard_ns = clock.now_ns()


def main(argv: list[str]) -> int:
    """Serve the master's driver until it goes."""
    host, port, folder, *rest = argv[1:]
    record_folder = Path(folder).absolute()
    record_folder.mkdir(parents=True, exist_ok=True)
    silent_s = float(rest[0]) if rest else _SILENT_S
    prepare_this_process()
    control = WorkerControl(host, int(port), record_folder, silent_s)
    return 0 if serve(control) else _ORPHANED


if __name__ == "__main__":
    sys.exit(main(sys.argv))
