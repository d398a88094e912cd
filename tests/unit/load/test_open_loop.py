"""The schedule is kept whatever the server does, and every slot of it is accounted for."""

from pathlib import Path

from chaoskit.clock import now_ns
from chaoskit.load.driver import Driver
from chaoskit.load.schedule import slots
from tests.unit.load.loads import ServerProcess, plan, rows_of, run_slots, stream


def test_slots_planned_during_a_stall_are_sent_and_their_wait_is_counted(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    """A server that hangs for 1 s delays every slot of that second; a closed loop would hide it."""
    stalled = plan(stream(server.port), rate_per_s=100, answer_timeout_s=5.0)
    with warm_driver.start(stalled, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=20)
        began_ns = now_ns()
        server.stall(1.0)
        load.run_for(seconds=2.0)
    planned_in_stall = [
        row for row in rows_of(tmp_path) if 0.1e9 < row["planned_ns"] - began_ns < 0.7e9
    ]
    assert len(planned_in_stall) >= 55  # 60 slots, whatever the server did
    lags_ns = sorted(row["sent_ns"] - row["planned_ns"] for row in planned_in_stall)
    assert lags_ns[len(lags_ns) // 2] < 0.1e9  # sending did not wait for the answers
    for row in planned_in_stall:
        assert row["outcome"] == "ok"
        # it could be answered only after the stall, and its time runs from the plan
        assert row["end_ns"] - began_ns > 0.9e9
        assert row["end_ns"] - row["planned_ns"] > 0.2e9


def test_slots_beyond_the_cap_are_unsent(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("hang")
    capped = plan(stream(server.port), rate_per_s=100, max_in_flight=5, answer_timeout_s=1.0)
    with warm_driver.start(capped, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 50)
        server.mode("ok")
        summary = load.stop()
    rows = rows_of(tmp_path)
    unsent = [row for row in rows if row["outcome"] == "unsent"]
    assert summary.sent == len(rows) - len(unsent) == 5
    assert summary.unsent == len(unsent) > 30
    for row in unsent:
        assert row["planned_ns"] is not None
        assert row["sent_ns"] is None
        assert row["end_ns"] is None
        assert row["error"] == "in_flight_limit"


def test_every_planned_slot_is_in_the_record_once(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("slow", "0.1")
    the_plan = plan(stream(server.port, "new"), stream(server.port, "kept"), rate_per_s=100)
    with warm_driver.start(the_plan, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 50)
        summary = load.stop()
    rows = rows_of(tmp_path)
    assert [row["slot"] for row in rows] == list(range(summary.planned))
    assert summary.planned == summary.sent + summary.unsent == len(rows)
    assert summary.sent == summary.ok + summary.fail + summary.unknown
    origin_ns = rows[0]["planned_ns"] - next(slots(the_plan)).offset_ns
    for row, slot in zip(rows, slots(the_plan), strict=False):
        assert row["planned_ns"] == origin_ns + slot.offset_ns
        assert row["stream"] == slot.stream.name


def test_stop_waits_for_the_answers_in_flight(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("slow", "0.4")
    draining = plan(stream(server.port), answer_timeout_s=2.0)
    with warm_driver.start(draining, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 30)
        told_ns = now_ns()
        summary = load.stop()
    rows = rows_of(tmp_path)
    late = [row for row in rows if row["end_ns"] > told_ns]
    assert len(late) >= 10  # 0.4 s of answers at 50/s came after the stop
    assert summary.ok == len(rows)
    assert all(row["planned_ns"] < told_ns + 50_000_000 for row in rows)
