"""Scenarios of several processes on one cluster: together, or one alone."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaoskit.errors import WaitTimeout
from chaoskit.run.sharing import Sharing
from chaoskit.waiting import wait_until

_CODE = """
import sys
from pathlib import Path
from chaoskit.run.sharing import Sharing
sharing = Sharing(Path(sys.argv[1]), print)
with getattr(sharing, sys.argv[2])(timeout_s=20):
    print("in", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def other(folder: Path, how: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that uses the cluster until its stdin ends or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _CODE, str(folder), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        try:
            yield process
        finally:
            process.kill()


def test_some_share_it(tmp_path: Path) -> None:
    sharing = Sharing(tmp_path, print)
    with other(tmp_path, "shared"), sharing.shared(timeout_s=1):
        pass


def test_nobody_joins_one_who_is_alone(tmp_path: Path) -> None:
    sharing = Sharing(tmp_path, print)
    with (
        other(tmp_path, "alone"),
        pytest.raises(WaitTimeout, match="the other processes"),
        sharing.shared(timeout_s=0.3),
    ):
        pytest.fail("joined")


def test_one_alone_waits_for_the_others(tmp_path: Path) -> None:
    said: list[str] = []
    sharing = Sharing(tmp_path, said.append)
    with (
        other(tmp_path, "shared"),
        pytest.raises(WaitTimeout),
        sharing.alone(timeout_s=2.5),
    ):
        pytest.fail("was not alone")
    assert said == ["waiting for the cluster, to use it alone"]


def test_a_killed_process_gives_it_back(tmp_path: Path) -> None:
    sharing = Sharing(tmp_path, print)
    with other(tmp_path, "alone") as process:
        process.kill()
        process.wait(10)
        with sharing.alone(timeout_s=5):
            pass


def test_who_waits_to_be_alone_is_not_starved(tmp_path: Path) -> None:
    """Once one waits, nobody joins before it had its turn."""
    order: list[str] = []
    first, waiting, late = (Sharing(tmp_path, print) for _ in range(3))

    def alone() -> None:
        with waiting.alone(timeout_s=10):
            order.append("alone")

    def shared() -> None:
        with late.shared(timeout_s=10):
            order.append("late")

    with first.shared(timeout_s=1):
        threads = [threading.Thread(target=alone), threading.Thread(target=shared)]
        threads[0].start()
        wait_until(lambda: _gate_is_closed(tmp_path), what="the gate to close", timeout_s=5)
        threads[1].start()
        threads[1].join(0.5)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == ["alone", "late"]


def test_one_that_is_alone_again_and_again_lets_the_others_have_their_turns(tmp_path: Path) -> None:
    busy, waiting = (Sharing(tmp_path, print) for _ in range(2))
    turns: list[bool] = []
    had = threading.Event()

    def wait_once() -> None:
        with waiting.alone(timeout_s=20):
            had.set()

    thread = threading.Thread(target=wait_once)
    with busy.alone(timeout_s=1):
        thread.start()
        assert not had.wait(0.5)
    while not had.is_set() and len(turns) < 10:
        with busy.alone(timeout_s=20):
            turns.append(had.is_set())
            had.wait(0.25)
    thread.join(10)
    assert len(turns) <= 3
    assert waiting.waited_s > 0


def _gate_is_closed(folder: Path) -> bool:
    try:
        with Sharing(folder, print).shared(timeout_s=0.0):
            return False
    except WaitTimeout:
        return True
