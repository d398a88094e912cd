"""Telling every node that it is still needed; a node that hears nothing ends itself."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from chaoskit.cluster.node import Agent
from chaoskit.errors import ChaoskitError

PERIOD_S = 5.0
TTL_S = 180.0


class Beaten(Protocol):
    """What a heartbeat needs of a node."""

    @property
    def name(self) -> str: ...

    @property
    def agent(self) -> Agent: ...


class Heartbeat:
    """A thread that beats every `PERIOD_S`; nodes end themselves `TTL_S` after the last beat.

    A node that cannot be reached (paused, stopped, killed by a fault) misses beats: that is
    what faults do. `missed` tells by node how often in a row, with the last reason.
    """

    def __init__(self, nodes: Callable[[], Sequence[Beaten]]) -> None:
        self._nodes = nodes
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaoskit-heartbeat", daemon=True)
        self.missed: dict[str, tuple[int, str]] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; may be repeated."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=PERIOD_S)

    def beat(self) -> None:
        """One beat to every node."""
        for node in self._nodes():
            if self._stopped.is_set():
                return
            try:
                node.agent.call("heartbeat", ttl_s=TTL_S, timeout_s=PERIOD_S)
            except ChaoskitError as error:
                count = self.missed.get(node.name, (0, ""))[0]
                self.missed[node.name] = (count + 1, str(error))
            else:
                self.missed.pop(node.name, None)

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            self.beat()
