"""The share of the processor that a measuring process gets.

A late measurement is worth nothing, and on a small machine the nodes under test take all there is.
The measuring processes need little of it, but at once.
"""

import os
from contextlib import suppress
from pathlib import Path

#: Well before ordinary processes (0), and behind what the kernel itself needs.
_NICE = -10
_AUTOGROUP = Path("/proc/self/autogroup")


def prefer_this_process() -> bool:
    """Raise this process's priority; False where that is not allowed (not root).

    With the kernel's autogroups a session's priority is that of its group (sched(7)), so both
    are set. The machine's first session belongs to none (EINVAL), and a kernel may have no groups:
    then the process's own priority is what counts.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except PermissionError:
        return False
    with suppress(OSError):
        _AUTOGROUP.write_text(str(_NICE))
    return True
