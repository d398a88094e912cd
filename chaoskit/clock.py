"""The one clock: CLOCK_MONOTONIC, shared by every process and node container on this kernel."""

import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now_ns() -> int:
    """Nanoseconds on CLOCK_MONOTONIC; comparable between all processes of one boot."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def wall_ns() -> int:
    """Nanoseconds since the epoch; recorded only in pairs with `now_ns`, never subtracted."""
    return time.time_ns()


def boot_id() -> str:
    """The kernel's boot id: monotonic times of two records compare only when it is equal."""
    return _BOOT_ID.read_text().strip()
