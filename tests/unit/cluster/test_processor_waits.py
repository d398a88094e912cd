"""How long containers wait for a processor, as the kernel tells it. Needs root, as nodes do."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chaoskit.clock import now_ns
from chaoskit.cluster.pod_cgroups import Running
from chaoskit.cluster.processor_waits import ProcessorWaits
from chaoskit.history.events import ProcessorWait
from chaoskit.waiting import wait_until

PLACE = "kubepods/pod1/container"
SPIN = "while True: pass"


@pytest.fixture
def node(cgroup_of: Callable[[str], Path]) -> Path:
    """A node's cgroup, where processors are limited."""
    own = cgroup_of("cpu")
    (own / PLACE).mkdir(parents=True)
    return own


@contextmanager
def busy(code: str = SPIN, cgroup: Path | None = None) -> Iterator[Running]:
    """A process on the first processor alone, as a container that runs."""
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
            if cgroup is not None:
                (cgroup / "cgroup.procs").write_text(str(process.pid))
            yield Running(pod_uid="pod-1", container_id="c1", place=PLACE, pids=[str(process.pid)])
        finally:
            process.kill()


def waits_of(node: Path, one: Running, *, ran_s: float) -> tuple[ProcessorWait, int]:
    """Of one process from now until it has run for so long; and the time that took."""
    waits = ProcessorWaits(node)
    assert waits.can_tell
    began_ns = now_ns()
    assert waits.look([one]) == []  # what it waited before is not of this time
    found: list[ProcessorWait] = []

    def has_run() -> bool:
        (wait,) = waits.look([one])
        found.append(wait)
        return sum(each.ran_ns for each in found) >= ran_s * 1e9

    wait_until(has_run, what="the process to have run", timeout_s=30)
    whole = ProcessorWait(
        pod_uid=one.pod_uid,
        container_id=one.container_id,
        waited_ns=sum(each.waited_ns for each in found),
        ran_ns=sum(each.ran_ns for each in found),
        throttled_ns=sum(each.throttled_ns for each in found),
    )
    return whole, now_ns() - began_ns


def test_one_among_many_on_a_processor_waits_most_of_the_time(node: Path) -> None:
    with ExitStack() as others, busy() as one:
        for _ in range(7):
            others.enter_context(busy())
        wait, took_ns = waits_of(node, one, ran_s=0.2)
    assert (wait.pod_uid, wait.container_id) == ("pod-1", "c1")
    assert wait.waited_ns > 2 * wait.ran_ns  # of eight, seven wait
    # It either ran or waited, but for what the kernel has not yet booked.
    assert wait.waited_ns + wait.ran_ns == pytest.approx(took_ns, rel=0.3)
    assert wait.throttled_ns == 0


def test_what_a_limit_holds_back_is_told_apart(node: Path) -> None:
    if (node / "cpu.max").exists():
        (node / "cpu.max").write_text("5000 100000")
    else:
        (node / "cpu.cfs_quota_us").write_text("5000")
    with busy(cgroup=node / PLACE) as one:
        wait, took_ns = waits_of(node, one, ran_s=0.08)
    assert wait.throttled_ns > took_ns / 3


def test_one_that_is_stopped_waits_for_nothing(node: Path) -> None:
    with busy() as one:
        waits = ProcessorWaits(node)
        os.kill(int(one.pids[0]), signal.SIGSTOP)
        wait_until(lambda: _state(one) == "T", what="the process to stop", timeout_s=5)
        waits.look([one])
        until_ns = now_ns() + 300_000_000
        wait_until(lambda: now_ns() > until_ns, what="a moment to pass", timeout_s=5)
        (wait,) = waits.look([one])
    assert (wait.waited_ns, wait.ran_ns) == (0, 0)


def _state(one: Running) -> str:
    return Path("/proc", one.pids[0], "stat").read_text().rpartition(")")[2].split()[0]


def test_processes_and_cgroups_that_are_gone_are_no_error(tmp_path: Path) -> None:
    waits = ProcessorWaits(tmp_path / "gone")
    assert not waits.can_tell
    gone = Running(pod_uid="pod-1", container_id="c1", place=PLACE, pids=["4194305"])
    assert waits.look([gone]) == []
    (wait,) = waits.look([gone])
    assert (wait.waited_ns, wait.ran_ns, wait.throttled_ns) == (0, 0, 0)
