"""Several processes drive one load: together they send its schedule, each slot once, in time."""

import os
import signal
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from chaoskit.errors import LoadError, UsageError
from chaoskit.history.events import DriverHealth, LoadMark
from chaoskit.load.driver import Driver
from chaoskit.load.part import Part
from chaoskit.load.rates import Ramp, Replay
from chaoskit.load.schedule import slots, streams_of, turns_of
from chaoskit.load.source_ports import SourcePorts
from tests.unit.load.loads import (
    WRITE,
    ServerProcess,
    closed,
    history_of,
    marks_of,
    plan,
    rows_of,
    run_slots,
    stream,
)

PARTS = ["load-1.1of3", "load-1.2of3", "load-1.3of3"]


def _most_in_flight(rows: list[dict[str, Any]], load: str) -> int:
    sent = [row for row in rows if row["load"] == load and row["outcome"] != "unsent"]
    # at one moment, an end comes before a beginning
    moments = sorted([(row["end_ns"], -1) for row in sent] + [(row["sent_ns"], 1) for row in sent])
    return max(accumulate(change for _, change in moments))


def test_merged_record_equals_the_plan(
    server: ServerProcess, warm_trio: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every slot of the schedule up to one moment, each once, at its time, by whose turn it is."""
    the_plan = plan(
        stream(server.port, "new", operations=(WRITE,)),
        stream(server.port, "kept"),
        rate_per_s=0.0,
        shape=Ramp(from_per_s=30, to_per_s=150, over_s=2),
    )
    # so far ahead that the slowest machine has told all three by then when to stop
    monkeypatch.setattr("chaoskit.load.running._STOP_LEAD_NS", 2_000_000_000)
    with warm_trio.start(the_plan, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        summary = load.stop()
    rows = sorted(rows_of(tmp_path), key=lambda row: row["slot"])
    assert [row["slot"] for row in rows] == list(range(summary.planned))
    assert summary.planned == summary.ok >= 200
    origin_ns = rows[0]["planned_ns"] - next(slots(the_plan)).offset_ns
    for row, slot in zip(rows, slots(the_plan), strict=False):
        assert row["planned_ns"] == origin_ns + slot.offset_ns
        assert (row["stream"], row["key"]) == (slot.stream.name, slot.key)
        assert row["load"] == PARTS[slot.number % 3]
    written = sorted(row["value"] for row in rows if row["value"])
    assert written == sorted(server.stored())


def test_summary_and_health_are_those_of_all(
    server: ServerProcess, warm_trio: Driver, tmp_path: Path
) -> None:
    with warm_trio.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        run_slots(load, 60)
        assert load.health is not None
        assert load.health.streams["kept"].planned == load.health.planned >= 60
    summary = load.summary
    assert summary is not None
    history = history_of(tmp_path)
    stopped = [mark for mark in history.of(LoadMark) if mark.mark == "stopped"]
    assert {mark.load_id: mark.planned for mark in stopped} == {
        name: sum(row["load"] == name for row in rows_of(tmp_path)) for name in PARTS
    }
    assert summary.planned == summary.ok == sum(mark.planned for mark in stopped)
    assert sum(summary.lags.values()) == summary.sent
    assert 0 <= summary.lag_p50_ms <= summary.lag_p99_ms <= summary.lag_max_ms
    assert sum(mark.rate_per_s for mark in stopped) == pytest.approx(50)
    assert {event.load_id for event in history.of(DriverHealth)} == set(PARTS)
    for name in PARTS:
        assert marks_of(tmp_path, name) == ["started", "steady", "stopping", "stopped"]
        assert "Locust saw" in (tmp_path / f"load.{name.removeprefix('load-1.')}.log").read_text()
    assert not history.damage


def test_parts_share_the_limit_of_requests_in_flight(
    server: ServerProcess, warm_trio: Driver, tmp_path: Path
) -> None:
    server.mode("hang")
    capped = plan(stream(server.port), rate_per_s=100, max_in_flight=6, answer_timeout_s=1.0)
    with warm_trio.start(capped, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 50)
        server.mode("ok")
        summary = load.stop()
    rows = rows_of(tmp_path)
    assert {name: _most_in_flight(rows, name) for name in PARTS} == dict.fromkeys(PARTS, 2)
    assert summary.unsent > 30


def test_killed_process_is_noticed_and_the_others_keep_their_record(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Driver(processes=2) as driver:
        load = driver.start(plan(stream(server.port)), tmp_path, tmp_path / "load.log")
        load.wait_steady(timeout_s=60)
        killed, _ = load.pids
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(LoadError, match=rf"process {killed}: .*died\n.*exit code -9"):
            load.run_for(seconds=20)
        assert not load.ended  # the other one is still at it
        with pytest.raises(LoadError, match="exit code -9"):
            load.stop()
        assert not driver.alive
    assert marks_of(tmp_path, "load-1.1of2") == ["started", "steady", "died"]
    assert marks_of(tmp_path, "load-1.2of2") == ["started", "steady", "stopping", "stopped"]
    history = history_of(tmp_path)
    rows = [row for row in rows_of(tmp_path) if row["load"] == "load-1.2of2"]
    stopped = history.of(LoadMark)[-1]
    assert stopped.planned == len(rows) >= 3
    assert all(row["slot"] % 2 == 1 for row in rows)
    # the dead one's file was never closed; what it had sealed is there
    assert not [damage for damage in history.damage if "1of2" not in damage.file]
    assert {row["load"] for row in rows_of(tmp_path)} == {"load-1.1of2", "load-1.2of2"}


def test_a_long_replay_reaches_every_process(
    server: ServerProcess, warm_trio: Driver, tmp_path: Path
) -> None:
    """The plan has some megabytes: it does not fit a packet. Only its beginning is sent."""
    beginning = tuple(number * 10_000_000 for number in range(60))
    later = tuple(3_600_000_000_000 + number * 1_000_000 for number in range(200_000))
    replay = plan(stream(server.port), rate_per_s=0.0, shape=Replay(offsets_ns=beginning + later))
    with warm_trio.start(replay, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 60)
        summary = load.stop()
    assert summary.planned == summary.ok == 60
    rows = rows_of(tmp_path)
    assert [row["planned_ns"] - rows[0]["planned_ns"] for row in rows] == list(beginning)


def test_a_replay_that_is_over_waits_to_be_stopped(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    replay = plan(stream(server.port), rate_per_s=0.0, shape=Replay(offsets_ns=(0, 1, 2)))
    with warm_driver.start(replay, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 3)
        load.run_for(seconds=0.5)
        summary = load.stop()
    assert (summary.planned, summary.ok, summary.ended_by) == (3, 3, "stop")


def test_users_are_shared_out(server: ServerProcess, warm_trio: Driver, tmp_path: Path) -> None:
    users = closed(stream(server.port), users=5)
    with warm_trio.start(users, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
    rows = rows_of(tmp_path)
    of_part = {name: {row["user"] for row in rows if row["load"] == name} for name in PARTS}
    assert of_part == {
        PARTS[0]: {"user-0", "user-3"}, PARTS[1]: {"user-1", "user-4"}, PARTS[2]: {"user-2"},
    }  # fmt: skip
    slots_sent = [row["slot"] for row in rows]
    assert len(set(slots_sent)) == len(slots_sent)


def test_fewer_users_than_processes(
    server: ServerProcess, warm_trio: Driver, tmp_path: Path
) -> None:
    lonely = closed(stream(server.port), users=1)
    with warm_trio.start(lonely, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        assert len(load.pids) == 1
    assert {row["load"] for row in rows_of(tmp_path)} == {"load-1"}


@pytest.mark.parametrize("processes", [0, 65])
def test_number_of_processes_is_bounded(processes: int) -> None:
    with pytest.raises(UsageError, match="from 1 to 64"):
        Driver(processes=processes)


@pytest.mark.parametrize("index, count", [(-1, 1), (1, 1), (0, 65)])
def test_parts_are_checked(index: int, count: int) -> None:
    with pytest.raises(UsageError, match="part"):
        Part(index=index, count=count)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 12])
def test_streams_of_a_part_are_those_of_its_slots(count: int) -> None:
    the_plan = plan(*(stream(80 + n, name=f"s{n}", share=n + 1) for n in range(3)))
    turns = turns_of(the_plan.streams)
    for index in range(count):
        part = Part(index=index, count=count)
        taken = {turns[n % len(turns)] for n in range(len(turns) * count) if part.holds(n)}
        assert [the_plan.streams[n] for n in sorted(taken)] == list(streams_of(the_plan, part))


def test_parts_use_no_source_port_of_each_other() -> None:
    ports = SourcePorts(40_000, 40_009)
    parts = [ports.part(index, 3) for index in range(3)]
    taken = [{part.next(("10.0.0.1", 80)) for _ in range(20)} for part in parts]
    assert [len(each) for each in taken] == [3, 3, 3]
    assert len(set.union(*taken)) == 9
    assert ports.part(1, 3) is parts[1]  # it goes on where it was
    assert ports.part(0, 1) is ports
