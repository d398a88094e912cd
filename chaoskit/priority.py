"""Shares of the processor: measuring processes come first, compilers last.

A late measurement is worth nothing, and on a small machine the nodes under test take all there is.
The measuring processes need little of it, but at once. A compiler takes all it gets, and can wait.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The least that a process can be given.
_LAST = 19
#: Well before ordinary processes (0), and behind what the kernel itself needs.
_NICE = -10
_AUTOGROUP = "/proc/{}/autogroup"


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
        _autogroup("self").write_text(str(_NICE))
    return True


@contextmanager
def before_all_others() -> Iterator[bool]:
    """A context in which this process runs as soon as it has something to do.

    False where that is not allowed. For one that needs a bounded part of the processor, at the
    moment it has planned: by the kernel's real-time scheduling (sched(7)), whose lowest priority
    comes before every ordinary process. Of each second the kernel keeps a twentieth for those.
    """
    is_first = _scheduled(os.SCHED_RR)
    try:
        yield is_first
    finally:
        if is_first:
            _scheduled(os.SCHED_OTHER)


def _scheduled(policy: int) -> bool:
    lowest = os.sched_param(os.sched_get_priority_min(policy))
    try:
        for thread in os.listdir("/proc/self/task"):  # all: they wait for the interpreter's lock
            os.sched_setscheduler(int(thread), policy, lowest)
    except OSError:  # no right to it, a kernel without it, a control group without a share of it
        return False
    return True


def put_last(pid: int) -> None:
    """Give a process of a session of its own, and all that it starts, what no other wants.

    By its own niceness alone it would give way to its own session's processes only (sched(7)).
    """
    with suppress(ProcessLookupError):  # it may have ended
        os.setpriority(os.PRIO_PROCESS, pid, _LAST)
    with suppress(OSError):
        _autogroup(pid).write_text(str(_LAST))


def _autogroup(pid: int | str) -> Path:
    return Path(_AUTOGROUP.format(pid))
