"""Load by Locust's master and workers: processes that somebody else starts drive its parts."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaoskit.errors import LoadError, UsageError, WaitTimeout
from chaoskit.load.closed import LocustfilePlan
from chaoskit.load.schedule import slots
from chaoskit.load.workers import Workers
from tests.unit.load.loads import (
    ServerProcess,
    closed,
    history_of,
    marks_of,
    plan,
    rows_of,
    run_slots,
    stream,
)

StartWorker = Callable[[int, Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Starts a worker as its user would; what is left of them is ended."""
    started: list[subprocess.Popen[bytes]] = []
    logs: list[Path] = []

    def start(port: int, folder: Path) -> "subprocess.Popen[bytes]":
        module = "chaoskit.load.child.worker"
        command = [sys.executable, "-m", module, "127.0.0.1", str(port), str(folder), "5"]
        folder.mkdir()
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(
                command, cwd=Path(__file__).parents[3], stdout=out, stderr=subprocess.STDOUT
            )
        started.append(process)
        logs.append(folder / "out")
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
    for log in logs:  # pytest shows it where a test failed
        print(log.read_text())


def _together(tmp_path: Path, *folders: Path) -> Path:
    """The record files of all in one folder, as a user would put them together."""
    whole = tmp_path / "together"
    whole.mkdir()
    for folder in folders:
        for file in folder.glob("*.ckl"):
            shutil.copy(file, whole)
    return whole


def test_merged_records_of_two_workers_equal_the_plan(
    server: ServerProcess, start_worker: StartWorker, tmp_path: Path
) -> None:
    one, two, own = tmp_path / "one", tmp_path / "two", tmp_path / "own"
    own.mkdir()
    the_plan = plan(stream(server.port, "new"), stream(server.port, "kept"), rate_per_s=60)
    with Workers(count=2) as workers:
        port = workers.wait_listening()
        processes = [start_worker(port, folder) for folder in (one, two)]
        workers.wait_ready()
        with workers.start(the_plan, own, own / "load.log") as load:
            assert sorted(load.pids) == sorted(process.pid for process in processes)
            load.wait_steady(timeout_s=30)
            run_slots(load, 60)
            summary = load.stop()
        # a second load by the same workers, in closed loop
        users = closed(stream(server.port), users=2, load_id="load-2")
        with workers.start(users, own, own / "load.log") as load:
            load.wait_steady(timeout_s=30)
        assert workers.alive
    # they end with the driver, by themselves and in good order
    assert [process.wait(20) for process in processes] == [0, 0]
    whole = _together(tmp_path, one, two, own)
    rows = [row for row in rows_of(whole) if row["load"].startswith("load-1")]
    numbers = sorted(row["slot"] for row in rows)
    assert len(set(numbers)) == len(numbers) == summary.planned == summary.ok
    assert numbers[:60] == list(range(60))
    planned = list(
        zip(sorted(rows, key=lambda row: row["slot"])[:60], slots(the_plan), strict=False)
    )
    origin_ns = planned[0][0]["planned_ns"] - planned[0][1].offset_ns
    for row, slot in planned:
        assert row["planned_ns"] == origin_ns + slot.offset_ns
        assert row["stream"] == slot.stream.name
    for folder in (one, two):
        assert len({row["load"] for row in rows_of(folder)}) == 2  # its part of each load
        assert not history_of(folder).damage
    for part in ("1of2", "2of2"):
        assert marks_of(whole, f"load-1.{part}") == ["started", "steady", "stopping", "stopped"]
        assert marks_of(whole, f"load-2.{part}") == ["started", "steady", "stopping", "stopped"]
    users_seen = {row["user"] for row in rows_of(whole) if row["load"].startswith("load-2")}
    assert users_seen == {"user-0", "user-1"}


@pytest.mark.long
def test_a_lost_worker_is_noticed(
    server: ServerProcess, start_worker: StartWorker, tmp_path: Path
) -> None:
    one, two, own = tmp_path / "one", tmp_path / "two", tmp_path / "own"
    own.mkdir()
    with Workers(count=2, silent_s=5) as workers:
        port = workers.wait_listening()
        killed, other = (start_worker(port, folder) for folder in (one, two))
        workers.wait_ready()
        load = workers.start(plan(stream(server.port)), own, own / "load.log")
        load.wait_steady(timeout_s=30)
        killed.kill()
        complaint = rf"process {killed.pid} on .*not been heard of for 5 s"
        with pytest.raises(LoadError, match=complaint):
            load.run_for(seconds=60)
        assert not workers.alive
        with pytest.raises(LoadError, match=complaint):
            load.stop()
    assert other.wait(20) == 0
    whole = _together(tmp_path, one, two, own)
    assert sorted(marks_of(whole, f"load-1.{part}") for part in ("1of2", "2of2")) == [
        ["started", "steady", "died"], ["started", "steady", "stopping", "stopped"],
    ]  # fmt: skip
    assert {row["outcome"] for row in rows_of(two)} == {"ok"}


@pytest.mark.long
def test_a_worker_ends_when_its_master_is_killed(
    server: ServerProcess, start_worker: StartWorker, tmp_path: Path
) -> None:
    one, own = tmp_path / "one", tmp_path / "own"
    own.mkdir()
    with Workers(count=1) as workers:
        worker = start_worker(workers.wait_listening(), one)
        workers.wait_ready()
        load = workers.start(plan(stream(server.port)), own, own / "load.log")
        load.wait_steady(timeout_s=30)
        os.kill(workers.pid, signal.SIGKILL)
        with pytest.raises(LoadError, match="exit code -9"):
            load.run_for(seconds=60)
        assert worker.wait(30) == 3
    assert not history_of(one).damage  # it sealed and closed its files before it went
    assert marks_of(one) == ["started", "steady", "stopping", "stopped"]
    assert marks_of(own) == ["died"]


def test_missing_workers_are_waited_for() -> None:
    with Workers(count=1) as workers:
        workers.wait_listening()
        complaint = r"waited for 1 workers(.*\n)+.*0 have connected"
        with pytest.raises(WaitTimeout, match=complaint):
            workers.wait_ready(timeout_s=0.5)


def test_a_worker_with_another_clock_is_refused(
    monkeypatch: pytest.MonkeyPatch, start_worker: StartWorker, tmp_path: Path
) -> None:
    """As one on another machine: here it is this process whose boot is another."""
    with Workers(count=1) as workers:
        worker = start_worker(workers.wait_listening(), tmp_path / "one")
        monkeypatch.setattr("chaoskit.clock.boot_id", lambda: "another boot")
        with pytest.raises(UsageError, match="its clock is not this host's"):
            workers.wait_ready()
    assert worker.wait(20) == 0


def test_what_workers_cannot_do_is_refused(tmp_path: Path) -> None:
    refused = ((0, "127.0.0.1", 5), (65, "127.0.0.1", 5), (1, "0.0.0.0", 5), (1, "127.0.0.1", 1))
    for count, host, silent_s in refused:
        with pytest.raises(UsageError, match="the workers"):
            Workers(count=count, host=host, silent_s=silent_s)
    locustfile = LocustfilePlan(
        load_id="load-1", path="/f.py", users=1, host="http://127.0.0.1", seed=1
    )
    with Workers(count=1) as workers, pytest.raises(UsageError, match="let a Driver run"):
        workers.start(locustfile, tmp_path, tmp_path / "load.log")  # type: ignore[type-var]
