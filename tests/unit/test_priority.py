"""The share of the processor that measuring processes get."""

import subprocess
import sys

#: A file that refuses the value as the kernel does for a process of its first session, whose
#: group of the scheduler is the root of all: with EINVAL.
_REFUSING = "/proc/self/timerslack_ns"

_CODE = f"""
import os, pathlib
from chaoskit import priority
priority._AUTOGROUP = pathlib.Path({_REFUSING!r})
print(priority.prefer_this_process(), os.getpriority(os.PRIO_PROCESS, 0))
"""


def test_a_session_that_the_scheduler_does_not_group_is_no_obstacle() -> None:
    """Started straight from the machine's first process, as some CI does."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "-10"]
