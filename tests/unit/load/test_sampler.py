"""The sampler sees what the driver sees, by other code, and its record says how it ended."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaoskit.errors import LoadError, UsageError
from chaoskit.history.events import LoadMark
from chaoskit.load.sampling import ControlTarget, Sampler, sampled
from chaoskit.waiting import wait_until
from tests.unit.load.loads import WRITE, ServerProcess, history_of, rows_of, stream
from tests.unit.load.test_outcomes_on_the_wire import BROKEN

Row = dict[str, Any]


@pytest.fixture
def sampler(tmp_path: Path) -> Iterator[Sampler]:
    sampler = Sampler(tmp_path / "sampler.log")
    yield sampler
    sampler.stop()


def sampled_rows(
    sampler: Sampler, folder: Path, port: int, *, least: int = 24, patience_s: float = 20.0
) -> list[Row]:
    """Both kinds of connection, until so many requests have ended."""
    streams = [stream(port, connection) for connection in ("new", "kept")]
    plan = sampled(
        "load-1", streams, control=None, seed=7, answer_timeout_s=patience_s, samples_per_s=40
    )
    sampler.begin(plan, folder)
    wait_until(
        lambda: len(rows_of(folder)) >= least,
        what=f"{least} samples",
        timeout_s=30,
        interval_s=0.1,
    )
    sampler.stop()
    return rows_of(folder)


@pytest.mark.parametrize("case", BROKEN, ids=[row[0] for row in BROKEN])
def test_each_answer_is_judged_as_the_driver_judges_it(
    case: tuple[str, tuple[Any, ...], tuple[Any, ...]],
    server: ServerProcess,
    sampler: Sampler,
    tmp_path: Path,
) -> None:
    mode, read, _write = case
    server.mode(*mode.split())
    patience_s = 0.5 if mode == "hang" else 20.0
    rows = sampled_rows(sampler, tmp_path, server.port, patience_s=patience_s)
    judged = {(row["outcome"], row["status"], row["error"], row["error_phase"]) for row in rows}
    assert judged == {read}
    assert {row["stream"] for row in rows} == {"sampler new", "sampler kept"}


def test_refused_is_refused(closed_port: int, sampler: Sampler, tmp_path: Path) -> None:
    rows = sampled_rows(sampler, tmp_path, closed_port)
    assert {(row["outcome"], row["error"], row["error_phase"]) for row in rows} == {
        ("fail", "refused", "connect")
    }


def test_ok_rows_are_whole_and_the_end_is_marked(
    server: ServerProcess, sampler: Sampler, tmp_path: Path
) -> None:
    rows = sampled_rows(sampler, tmp_path, server.port)
    assert [row["slot"] for row in rows] == list(range(len(rows)))
    for row in rows:
        assert row["planned_ns"] <= row["sent_ns"] <= row["end_ns"]
        assert (row["pod"], row["node"], row["revision"]) == ("kv-1", "n-1", "v1")
    kept = {row["connection_id"] for row in rows if row["connection"] == "kept"}
    assert len(kept) < len(rows) / 2
    history = history_of(tmp_path)
    marks = [(mark.mark, mark.planned) for mark in history.of(LoadMark)]
    assert marks == [("started", 0), ("stopped", len(rows))]
    assert history.damage == []


def test_a_slow_service_does_not_slow_the_schedule(
    server: ServerProcess, sampler: Sampler, tmp_path: Path
) -> None:
    """Open loop: while nobody answers, samples go on being sent."""
    server.mode("hang")
    rows = sampled_rows(sampler, tmp_path, server.port, least=60, patience_s=0.5)
    sent = [row["sent_ns"] - row["planned_ns"] for row in rows]
    # each waits 0.5 s for its answer; one after the other they would be 30 s late
    assert max(sent) < 5e9
    assert {row["error"] for row in rows} == {"timeout"}


def test_a_killed_sampler_leaves_what_it_sealed_and_is_marked(
    server: ServerProcess, tmp_path: Path
) -> None:
    sampler = Sampler(tmp_path / "sampler.log")
    plan = sampled("load-1", [stream(server.port)], control=None, seed=7)
    sampler.begin(plan, tmp_path)
    wait_until(lambda: len(rows_of(tmp_path)) >= 10, what="samples", timeout_s=30, interval_s=0.1)
    os.kill(sampler.pid, signal.SIGKILL)
    with pytest.raises(LoadError, match=r"ended by itself|did not end"):
        sampler.stop()
    history = history_of(tmp_path)
    assert len(rows_of(tmp_path)) >= 10
    assert [mark.mark for mark in history.of(LoadMark)] == ["started", "died"]


def test_it_ends_with_its_harness(server: ServerProcess, tmp_path: Path) -> None:
    """Killed without a word, the harness leaves nobody who goes on sending."""
    program = textwrap.dedent(
        f"""
        import pathlib, time
        from chaoskit.load.sampling import Sampler, sampled
        from tests.unit.load.loads import stream
        folder = pathlib.Path({str(tmp_path)!r})
        sampler = Sampler(folder / "sampler.log")
        sampler.begin(sampled("l", [stream({server.port})], control=None, seed=1), folder)
        print(sampler.pid, flush=True)
        time.sleep(600)
        """
    )
    harness = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    pid = int(harness.stdout.readline())
    wait_until(lambda: rows_of(tmp_path) != [], what="a sample", timeout_s=30, interval_s=0.1)
    harness.kill()
    harness.wait()
    harness.stdout.close()
    wait_until(lambda: not _runs(pid), what="the sampler's end", timeout_s=20, interval_s=0.1)
    assert [mark.mark for mark in history_of(tmp_path).of(LoadMark)] == ["started", "stopped"]


def test_the_plan_has_reads_alone_and_a_control() -> None:
    streams = [stream(30080, "new"), stream(30081, "new", name="writes", operations=(WRITE,))]
    control = ControlTarget("172.20.0.9", 8080)
    plan = sampled("load-1", streams, control=control, seed=7)
    assert [each.name for each in plan.streams] == ["sampler new", "control new", "control kept"]
    assert plan.rate_per_s == 60
    assert plan.load_id == "sampler-load-1"


def test_a_load_without_reads_cannot_be_sampled() -> None:
    writes = stream(30081, "new", operations=(WRITE,))
    with pytest.raises(UsageError, match="no reads"):
        sampled("load-1", [writes], control=None, seed=7)


def test_it_does_without_locust(tmp_path: Path) -> None:
    """Nothing of Locust's may be shared between the two witnesses."""
    program = "import sys, chaoskit.load.sampler.__main__; print('gevent' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
