"""Measuring that a fault is in effect, for as long as it is meant to be."""

import threading
from typing import Literal, Protocol

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import FaultError
from chaoskit.faults.fault import Fault

FaultMoment = Literal[
    "requested", "injected", "effective", "ineffective", "heal_requested", "healed", "heal_failed"
]

#: How often the effect is measured; a window is proved when it was seen at least each second.
_MEASURED_EVERY_S = 0.4
_WATCH_ENDS_WITHIN_S = 15.0


class FaultLog(Protocol):
    """Who is told what becomes of faults: the record of a run, or a person at a terminal."""

    def new_id(self, name: str) -> str: ...

    def fault(
        self, fault_id: str, name: str, target: str, mark: FaultMoment, detail: str = ""
    ) -> None: ...

    def note(self, level: Literal["info", "warning", "error"], text: str) -> None: ...


class EffectWatch:
    """Measures the effect from another thread, so that a waiting scenario does not stop it."""

    def __init__(self, fault: Fault, cluster: Cluster, log: FaultLog) -> None:
        self._fault = fault
        self._cluster = cluster
        self._log = log
        self._id = log.new_id(fault.name)
        self._seen = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"effect of {self._id}")
        self._last = "never measured"

    def mark(self, moment: FaultMoment, detail: str = "") -> None:
        """A moment in the life of this fault, now."""
        self._log.fault(self._id, self._fault.name, self._fault.target, moment, detail)

    def start(self) -> None:
        """Begin to measure."""
        self._thread.start()

    def wait_effective(self, timeout_s: float) -> None:
        """Wait until the effect was measured once; raises `FaultError`."""
        started_ns = clock.now_ns()
        if not self._seen.wait(timeout_s):
            raise FaultError(
                "was injected, but its effect was not seen",
                subject=f"fault {self._fault.name} on {self._fault.target}",
                seen=self._last,
                spent_s=(clock.now_ns() - started_ns) / 1e9,
                next_step="nothing was concluded; it is healed now",
            )

    def stop(self) -> None:
        """End measuring; may be repeated."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(_WATCH_ENDS_WITHIN_S)

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                effective = self._fault.is_effective(self._cluster)
            except Exception as error:  # a measurement that failed proves nothing; it is marked
                self._last = f"{type(error).__name__}: {error}"
                self.mark("ineffective", f"could not be measured: {self._last}")
            else:
                self._last = "in effect" if effective else "no effect"
                if effective:
                    self.mark("effective")
                    self._seen.set()
                elif self._seen.is_set():
                    self.mark("ineffective")
            self._over.wait(_MEASURED_EVERY_S)
