"""The share of the processor that measuring processes get, and compilers."""

import os
import subprocess
import sys
from pathlib import Path

from chaoskit.priority import put_last

#: A file that refuses the value as the kernel does for a process of its first session, whose
#: group of the scheduler is the root of all: with EINVAL.
_REFUSING = "/proc/self/timerslack_ns"

_CODE = f"""
import os
from chaoskit import priority
priority._AUTOGROUP = {_REFUSING!r}
print(priority.prefer_this_process(), os.getpriority(os.PRIO_PROCESS, 0))
"""


def test_a_session_that_the_scheduler_does_not_group_is_no_obstacle() -> None:
    """Started straight from the machine's first process, as some CI does."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "-10"]


_REAL_TIME = """
import os, threading
from chaoskit import priority
resting = threading.Event()
other = threading.Thread(target=resting.wait)
other.start()
threads = [0, other.native_id]
with priority.before_all_others() as is_first:
    print(is_first, *(os.sched_getscheduler(thread) == os.SCHED_RR for thread in threads))
print(*(os.sched_getscheduler(thread) == os.SCHED_OTHER for thread in threads))
resting.set()
"""


def test_one_that_runs_before_all_others_does_so_with_all_of_its_threads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _REAL_TIME], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    *first, back, other_back = done.stdout.split()
    assert first in (["True"] * 3, ["False"] * 3)  # as this machine allows
    assert (back, other_back) == ("True", "True")


def test_one_that_is_put_last_is_last_with_all_of_its_session() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                          start_new_session=True) as process:  # fmt: skip
        put_last(process.pid)
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        group = Path(f"/proc/{process.pid}/autogroup")
        of_session = group.read_text() if group.exists() else " nice 19"
        process.kill()
    assert niceness == 19
    assert of_session.split()[-1] == "19"
    put_last(process.pid)  # which has ended
