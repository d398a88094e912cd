"""The driver: steadiness, warm reuse, marks in the record, and what deaths leave behind."""

import functools
import os
import resource
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from chaoskit.clock import now_ns
from chaoskit.errors import LoadError, UsageError, WaitTimeout
from chaoskit.history.events import DriverHealth, LoadMark
from chaoskit.load import driver
from chaoskit.load.driver import Driver
from chaoskit.waiting import wait_until
from tests.unit.load.loads import (
    ServerProcess,
    history_of,
    marks_of,
    plan,
    rows_of,
    run_slots,
    stream,
)


def _has_stopped(folder: Path) -> bool:
    return "stopped" in marks_of(folder)


def test_marks_and_summary_agree_with_the_rows(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    both = plan(stream(server.port, "new"), stream(server.port, "kept"))
    with warm_driver.start(both, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=20)
        assert load.health is not None
        assert load.health.steady
    assert load.summary is not None
    assert marks_of(tmp_path) == ["started", "steady", "stopping", "stopped"]
    marks = history_of(tmp_path).of(LoadMark)
    assert marks[-1].planned == len(rows_of(tmp_path)) == load.summary.planned
    assert marks[-1].streams == ["new", "kept"]
    assert load.summary.ended_by == "stop"
    assert not history_of(tmp_path).damage


def test_how_the_driver_fared_is_on_record(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("slow", "0.2")
    with warm_driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=20)
        load.run_for(seconds=1.5)
    rows, events = rows_of(tmp_path), history_of(tmp_path).of(DriverHealth)
    assert len(events) >= 3
    assert {event.load_id for event in events} == {"load-1"}
    for before, after in pairwise(events):
        assert after.since_ns == before.time_ns  # no moment is left out
        assert after.planned >= before.planned
    assert events[0].since_ns < rows[0]["planned_ns"]
    assert events[-1].planned == len(rows)
    assert events[-1].in_flight == 0
    assert max(event.in_flight for event in events) > 0
    assert all(0 < event.cpu_share < 2 for event in events)
    latest_ns = max(row["sent_ns"] - row["planned_ns"] for row in rows)
    assert max(event.lag_max_ms for event in events) == pytest.approx(latest_ns / 1e6)


def test_one_process_drives_load_after_load(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    pids = set()
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        named = plan(stream(server.port), load_id=f"load-{number}")
        with warm_driver.start(named, folder, folder / "load.log") as load:
            run_slots(load, 5)
            pids.add(load.pid)
        assert {row["load"] for row in rows_of(folder)} == {f"load-{number}"}
        assert f"load-{number}" not in (tmp_path / "0" / "load.log").read_text() or number == 0
    assert len(pids) == 1


def test_second_load_on_a_busy_driver_is_refused(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    with (
        warm_driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log"),
        pytest.raises(UsageError, match="drives another load"),
    ):
        warm_driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log")


def test_load_without_answers_is_not_steady(
    server: ServerProcess, closed_port: int, warm_driver: Driver, tmp_path: Path
) -> None:
    good, dead = stream(server.port, "kept"), stream(closed_port, "new")
    with (
        warm_driver.start(plan(good, dead), tmp_path, tmp_path / "load.log") as load,
        pytest.raises(WaitTimeout, match=r"new: 0 ok of .*last refused in connect"),
    ):
        load.wait_steady(timeout_s=3)
    assert "steady" not in marks_of(tmp_path)


def test_load_ends_by_itself(server: ServerProcess, warm_driver: Driver, tmp_path: Path) -> None:
    short = plan(stream(server.port), max_run_s=1.0)
    with warm_driver.start(short, tmp_path, tmp_path / "load.log") as load:
        with pytest.raises(LoadError, match="already ended"):
            load.run_for(seconds=20)
        assert load.stop().ended_by == "max_run_s"
    rows = rows_of(tmp_path)
    assert max(row["planned_ns"] for row in rows) - min(row["planned_ns"] for row in rows) <= 1e9


def test_locust_stays_out_of_this_process(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    with warm_driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 5)
    assert not {"gevent", "locust", "geventhttpclient"} & sys.modules.keys()
    assert "Locust saw" in (tmp_path / "load.log").read_text()


def test_killed_child_is_noticed_and_its_record_readable(
    server: ServerProcess, tmp_path: Path
) -> None:
    load = driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log")
    load.wait_steady(timeout_s=20)
    assert load.health is not None
    os.kill(load.pid, signal.SIGKILL)
    with pytest.raises(LoadError, match=r"exit code -9"):
        load.run_for(seconds=20)
    with pytest.raises(LoadError, match=r"exit code -9"):
        load.stop()
    rows = rows_of(tmp_path)
    assert {row["outcome"] for row in rows} == {"ok"}
    # what was sealed lies at most a second back
    assert len(rows) >= load.health.planned - 50
    assert marks_of(tmp_path) == ["started", "steady", "died"]


def test_record_that_cannot_be_written_ends_the_load(server: ServerProcess, tmp_path: Path) -> None:
    load = driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log")
    load.wait_steady(timeout_s=20)
    # no file of this process may grow: as on a full disk
    size = max(file.stat().st_size for file in tmp_path.iterdir())
    resource.prlimit(load.pid, resource.RLIMIT_FSIZE, (size + 100, size + 100))
    with pytest.raises(LoadError, match=r"was written only in part|could not be written"):
        load.run_for(seconds=20)
    with pytest.raises(LoadError, match="died"):
        load.stop()
    assert load.ended
    assert marks_of(tmp_path)[-1] == "died"
    assert {row["outcome"] for row in rows_of(tmp_path)} == {"ok"}


def test_driver_closed_under_a_load_leaves_its_record(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Driver() as own:
        load = own.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log")
        load.wait_steady(timeout_s=30)
    with pytest.raises(LoadError, match=r"was closed\n.*exit code"):
        load.stop()
    assert load.ended
    assert marks_of(tmp_path) == ["started", "steady", "stopping", "stopped", "died"]
    assert len(rows_of(tmp_path)) == history_of(tmp_path).of(LoadMark)[-2].planned


@pytest.mark.parametrize("missing", ["record", "log"])
def test_missing_folder_is_refused(missing: str, warm_driver: Driver, tmp_path: Path) -> None:
    record = tmp_path / "no" if missing == "record" else tmp_path
    log = tmp_path / "no" / "load.log" if missing == "log" else tmp_path / "load.log"
    with pytest.raises(UsageError, match="no: is not a folder"):
        warm_driver.start(plan(stream(9)), record, log)


PARENT = """
import os, signal, sys
from pathlib import Path
from chaoskit.load import driver
from tests.unit.load.loads import plan, stream
folder = Path(sys.argv[1])
load = driver.start(plan(stream(int(sys.argv[2]))), folder, folder / "load.log")
load.wait_steady(timeout_s=30)
copy = os.fork() if sys.argv[3] == "copied" else 0
if sys.argv[3] == "copied" and copy == 0:
    signal.pause()  # holds a copy of all descriptors, the load's socket too
print(load.pid, copy, flush=True)
load.run_for(seconds=60)
"""


@pytest.mark.parametrize("socket", ["gone", "copied"])
def test_child_ends_when_its_driver_is_killed(
    socket: str, server: ServerProcess, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(server.port), socket],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as parent:
        assert parent.stdout is not None
        child_pid, copy_pid = map(int, parent.stdout.readline().split())
        child = psutil.Process(child_pid)
        server.mode("hang")
        before = server.asked()
        wait_until(lambda: server.asked() >= before + 3, what="3 requests to hang", timeout_s=20)
        parent.kill()
        killed_ns = now_ns()
        parent.wait(5)
        wait_until(
            lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE,
            what="the child to end by itself",
            timeout_s=8.0,  # it takes 0.3 to 0.8 s on an idle machine, far more on a busy one
            interval_s=0.05,
        )
        if copy_pid:
            os.kill(copy_pid, signal.SIGKILL)
    assert marks_of(tmp_path) == ["started", "steady", "stopping", "stopped"]
    assert not history_of(tmp_path).damage  # it sealed and closed its files before it went
    rows = rows_of(tmp_path)
    assert len(rows) == history_of(tmp_path).of(LoadMark)[-1].planned
    assert rows[0]["outcome"] == "ok"
    # what the hanging server had not answered was cut off, and nobody knows what became of it
    cut_off = [row for row in rows if row["outcome"] != "ok"]
    assert cut_off
    assert {(row["outcome"], row["error"]) for row in cut_off} == {("unknown", "cut_off")}
    assert all(row["end_ns"] > killed_ns for row in cut_off)


def test_summary_is_said_again_to_a_late_stop(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    """A load may end by itself at the moment it is stopped; the next one is not taken for it."""
    short = plan(stream(server.port), max_run_s=1.0, answer_timeout_s=0.5)
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        load = warm_driver.start(short, folder, folder / "load.log")
        stopped = functools.partial(_has_stopped, folder)
        wait_until(stopped, what="the load to end unread", timeout_s=10)
        assert load.stop().ended_by == "max_run_s"
        assert load.stop() is load.summary
    third = tmp_path / "three"
    third.mkdir()
    with warm_driver.start(plan(stream(server.port)), third, third / "load.log") as load:
        load.run_for(seconds=1.0)
        assert load.summary is None


def test_child_that_cannot_import_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "locust.py").write_text("raise ImportError('planted in its place')")
    monkeypatch.setattr("chaoskit.load.child_process._PACKAGE_ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    with Driver() as broken:
        with pytest.raises(LoadError, match="planted in its place"):
            broken.wait_ready(timeout_s=30)
        assert not broken.alive
