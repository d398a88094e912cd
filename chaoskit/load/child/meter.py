"""What this process used and how late it was, since the last reading."""

import time
from typing import NamedTuple

from chaoskit import clock


class Reading(NamedTuple):
    """`cpu_share` is the part of one core, `lag_max_ms` the greatest lag, both since `since_ns`."""

    since_ns: int
    time_ns: int
    cpu_share: float
    lag_max_ms: float


class Meter:
    """Read once a second or so; each reading begins a new one."""

    def __init__(self) -> None:
        self._since_ns = clock.now_ns()
        self._since_cpu_s = time.process_time()
        self._lag_max_ns = 0

    def late(self, lag_ns: int) -> None:
        """Something was done so long after its time."""
        self._lag_max_ns = max(self._lag_max_ns, lag_ns)

    def read(self) -> Reading:
        """What was used since the last reading."""
        now_ns, cpu_s = clock.now_ns(), time.process_time()
        spent_s = max((now_ns - self._since_ns) / 1e9, 1e-3)
        reading = Reading(
            since_ns=self._since_ns,
            time_ns=now_ns,
            cpu_share=(cpu_s - self._since_cpu_s) / spent_s,
            lag_max_ms=self._lag_max_ns / 1e6,
        )
        self._since_ns, self._since_cpu_s, self._lag_max_ns = now_ns, cpu_s, 0
        return reading
