"""Who may use the cluster now: several scenarios at a time, or one alone.

Processes of one test run (pytest-xdist's workers) share a cluster. A scenario takes it shared, or
alone for faults that the others would feel. Locks of the operating system, on files: a killed
process gives its own back.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from chaoskit import clock
from chaoskit.errors import WaitTimeout
from chaoskit.waiting import wait_until

_INTERVAL_S = 0.1
_OTHERS_SEE_IT_WITHIN_S = 1.0
_SAID_AFTER_S = 2.0


class Sharing:
    """The lock of one cluster, in a folder that all who share it name.

    Whoever waits to be alone closes the gate: nobody joins before it had its turn, so it is never
    starved. Who was alone lets those that wait go first: between two turns of one process the
    gate is open for milliseconds only, and the others look at it each tenth of a second.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._gate = folder / "gate.lock"
        self._users = folder / "users.lock"
        self._waiting = folder / "waiting.lock"
        self._was_alone = False
        self._say = say
        #: Seconds that this process has waited for others, in all.
        self.waited_s = 0.0

    @contextmanager
    def shared(self, *, timeout_s: float) -> Iterator[None]:
        """A context in which others may use it too. Raises `WaitTimeout`."""
        with ExitStack() as held:
            with self._through_gate(fcntl.LOCK_SH, timeout_s):
                held.enter_context(self._locked(self._users, fcntl.LOCK_SH, timeout_s))
            yield

    @contextmanager
    def alone(self, *, timeout_s: float) -> Iterator[None]:
        """A context in which nobody else uses it. Raises `WaitTimeout`."""
        with (
            self._through_gate(fcntl.LOCK_EX, timeout_s),
            self._locked(self._users, fcntl.LOCK_EX, timeout_s),
        ):
            self._was_alone = True
            yield

    @contextmanager
    def _through_gate(self, mode: int, timeout_s: float) -> Iterator[None]:
        if self._was_alone:
            self._was_alone = False
            with (
                suppress(WaitTimeout),
                self._locked(self._waiting, fcntl.LOCK_EX, _OTHERS_SEE_IT_WITHIN_S),
            ):
                pass  # nobody waits any more: those that did have had their turn
        with ExitStack() as gate:
            with self._locked(self._waiting, fcntl.LOCK_SH, timeout_s):
                gate.enter_context(self._locked(self._gate, mode, timeout_s))
            yield

    @contextmanager
    def _locked(self, file: Path, mode: int, timeout_s: float) -> Iterator[None]:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        began_ns = clock.now_ns()
        said = False

        def taken() -> bool:
            nonlocal said
            try:
                fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            except BlockingIOError:
                if not said and clock.now_ns() - began_ns > _SAID_AFTER_S * 1e9:
                    said = True
                    how = "alone" if mode == fcntl.LOCK_EX else "together with others"
                    self._say(f"waiting for the cluster, to use it {how}")
                return False
            return True

        try:
            try:
                wait_until(
                    taken,
                    what="the other processes to be done with the cluster",
                    timeout_s=timeout_s,
                    interval_s=_INTERVAL_S,
                    next_step="does one of them hang? its process shows in: ps -ef",
                )
            finally:
                self.waited_s += (clock.now_ns() - began_ns) / 1e9
            yield
        finally:
            os.close(descriptor)  # which gives the lock back
