"""The guardian as a process: what it sees, outlives, and how it ends. No engine is asked."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaoskit.cluster.launch import labels
from chaoskit.faults.ledger.guard import Guard
from chaoskit.waiting import wait_until

UP_WITHIN_S = 60.0
ENDS_WITHIN_S = 30.0

# A harness with a guardian and a child to which every descriptor has leaked, the guardian's pipes
# among them. It says who they are, and waits.
HARNESS = """
import os, subprocess, sys, threading
from chaoskit.faults.ledger.guard import Guard
from chaoskit.waiting import wait_until
guard = Guard()
guard.start()
for pipe in (guard._process.stdin, guard._process.stdout):
    os.set_inheritable(pipe.fileno(), True)
child = subprocess.Popen(
    [sys.executable, "-c", "import threading; threading.Event().wait()"], close_fds=False
)
wait_until(lambda: guard._heard("ready"), what="the guardian", timeout_s=60)
print(guard.pid, child.pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State of its own, and an engine that cannot be there."""
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    return tmp_path


@pytest.fixture
def guard() -> Iterator[Guard]:
    made = Guard()
    made.start()
    wait_until(lambda: made._heard("ready"), what="the guardian", timeout_s=UP_WITHIN_S)
    yield made
    made.close()


def test_it_sees_the_harness_die_though_its_pipes_live_on(state: Path) -> None:
    harness = subprocess.Popen([sys.executable, "-c", HARNESS], stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    guardian, child = (psutil.Process(int(pid)) for pid in harness.stdout.readline().split())
    try:
        harness.kill()
        harness.wait()
        guardian.wait(ENDS_WITHIN_S)
        assert child.is_running(), "which holds the other ends of the guardian's pipes"
        (log,) = (state / "guardian").iterdir()
        assert "has ended without closing" in log.read_text()
    finally:
        child.kill()
        harness.communicate()


def test_closed_in_good_order_it_ends_and_leaves_no_word(guard: Guard, state: Path) -> None:
    pid = guard.pid
    assert pid is not None
    guard.close()
    assert not psutil.pid_exists(pid)
    assert list((state / "guardian").iterdir()) == []
    guard.close()


def test_it_is_out_of_reach_of_the_terminal_and_of_signals_to_the_group(guard: Guard) -> None:
    assert guard.pid is not None
    assert os.getsid(guard.pid) == guard.pid != os.getsid(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(guard.pid, number)
    guard.watch("none")  # it answers to the next word, so it has taken those signals
    wait_until(lambda: guard._heard("watching none"), what="an answer", timeout_s=UP_WITHIN_S)
    assert psutil.Process(guard.pid).is_running()


def test_a_killed_one_is_replaced_when_it_is_needed(guard: Guard) -> None:
    first = guard.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: psutil.Process(first).status() == "zombie", what="its end", timeout_s=9)
    guard.wait_watching("none", timeout_s=UP_WITHIN_S)
    assert guard.pid != first


def test_for_a_process_that_is_gone_already_it_acts_at_once(state: Path) -> None:
    parts = str(labels.this_process()).split(":")
    gone = ":".join([parts[0], "1", *parts[2:]])  # its number belongs to another process by now
    log = state / "log"
    done = subprocess.run(
        [
            sys.executable, "-m", "chaoskit.faults.ledger.guardian",
            "--owner", gone, "--log", str(log),
        ],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=UP_WITHIN_S, check=False,
    )  # fmt: skip
    assert done.stdout == b"", "it was never ready to guard anybody"
    assert "has ended without closing" in log.read_text()


def test_an_owner_that_is_none_is_wrong_usage(state: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "chaoskit.faults.ledger.guardian",
            "--owner", "me", "--log", str(state / "log"),
        ],
        capture_output=True, text=True, timeout=UP_WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'me' names no process" in done.stderr
