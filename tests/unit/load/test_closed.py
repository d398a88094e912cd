"""Users in closed loop: each waits for its answer, thinks, and asks again; all of it on record."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaoskit.errors import LoadError, UsageError, WaitTimeout
from chaoskit.history.events import DriverHealth, LoadMark
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.driver import Driver
from chaoskit.waiting import wait_until
from tests.unit.load.loads import (
    READ,
    WRITE,
    ServerProcess,
    closed,
    history_of,
    marks_of,
    rows_of,
    run_slots,
    stream,
)

Row = dict[str, Any]


def _by_user(rows: list[Row]) -> dict[str, list[Row]]:
    users: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["planned_ns"]):
        users.setdefault(row["user"], []).append(row)
    return users


def test_each_user_asks_after_its_answer_and_a_wait(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    users = closed(
        stream(server.port, "new", operations=(READ,)),
        stream(server.port, "kept", operations=(READ, WRITE)),
    )
    with warm_driver.start(users, tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        run_slots(load, 40)
        summary = load.stop()
    rows = rows_of(tmp_path)
    assert summary.planned == summary.ok == len(rows) >= 40
    assert sorted(row["slot"] for row in rows) == list(range(len(rows)))
    assert {(row["stream"], row["operation"]) for row in rows} == {
        ("new", "read"), ("kept", "read"), ("kept", "write"),
    }  # fmt: skip
    by_user = _by_user(rows)
    assert by_user.keys() == {"user-0", "user-1", "user-2"}
    for asked in by_user.values():
        for before, after in pairwise(asked):
            waited_s = (after["planned_ns"] - before["end_ns"]) / 1e9
            assert waited_s >= 0.05
            # the wait is drawn after the answer was written down, which takes a moment
            assert waited_s < 0.15 + 0.5
            assert after["sent_ns"] >= after["planned_ns"]
        kept = {row["connection_id"] for row in asked if row["connection"] == "kept"}
        assert len(kept) == 1  # a user keeps its own connection
    written = [row["value"] for row in rows if row["operation"] == "write"]
    assert sorted(written) == sorted(server.stored())


def test_closed_loop_is_labelled(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    with warm_driver.start(closed(stream(server.port)), tmp_path, tmp_path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=1.5)
    assert marks_of(tmp_path) == ["started", "steady", "stopping", "stopped"]
    marks = history_of(tmp_path).of(LoadMark)
    assert {(mark.loop, mark.rate_per_s) for mark in marks} == {("closed", 0.0)}
    assert marks[0].detail == "seed 7, 3 users, waits of 0.05 to 0.15 s"
    assert marks[-1].planned == len(rows_of(tmp_path))
    assert marks[-1].streams == ["kept"]
    health = history_of(tmp_path).of(DriverHealth)
    assert health[-1].planned == marks[-1].planned
    assert "Locust saw" in (tmp_path / "load.log").read_text()


def test_a_slow_service_is_asked_less(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    """What a closed loop hides: at most one request a user is under way."""
    server.mode("slow", "0.3")
    users = closed(stream(server.port), wait_s=(0.01, 0.02))
    with warm_driver.start(users, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 12)
        assert load.health is not None
        assert load.health.in_flight <= 3
    for asked in _by_user(rows_of(tmp_path)).values():
        for before, after in pairwise(asked):
            assert after["planned_ns"] >= before["end_ns"] >= before["sent_ns"] + 300_000_000


def test_same_seed_gives_users_the_same_choices(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    chosen = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        users = closed(
            stream(server.port, "new", operations=(READ, WRITE)),
            stream(server.port, "kept", share=3, operations=(READ, WRITE)),
        )
        with warm_driver.start(users, folder, folder / "load.log") as load:
            run_slots(load, 36)
        chosen.append(
            {
                user: [(row["stream"], row["operation"]) for row in asked][:5]
                for user, asked in _by_user(rows_of(folder)).items()
            }
        )
    assert chosen[0] == chosen[1]
    assert len({tuple(each) for each in chosen[0].values()}) > 1


def test_users_without_answers_are_not_served(
    closed_port: int, warm_driver: Driver, tmp_path: Path
) -> None:
    with (
        warm_driver.start(closed(stream(closed_port)), tmp_path, tmp_path / "load.log") as load,
        pytest.raises(WaitTimeout, match="refused in connect; 3 users not served of late"),
    ):
        load.wait_steady(timeout_s=2)
    assert {(row["outcome"], row["error"]) for row in rows_of(tmp_path)} == {("fail", "refused")}


@pytest.mark.parametrize(
    "mode, answer_timeout_s, outcome", [("slow 0.5", 2.0, "ok"), ("hang", 0.5, "fail")]
)
def test_whatever_was_asked_is_on_record(
    mode: str,
    answer_timeout_s: float,
    outcome: str,
    server: ServerProcess,
    warm_driver: Driver,
    tmp_path: Path,
) -> None:
    """Also what was under way when the load was stopped."""
    server.mode(*mode.split())
    users = closed(stream(server.port), answer_timeout_s=answer_timeout_s)
    with warm_driver.start(users, tmp_path, tmp_path / "load.log"):
        wait_until(lambda: server.asked() >= 3, what="3 requests under way", timeout_s=20)
    rows = rows_of(tmp_path)
    assert len(rows) == server.asked()
    assert {row["outcome"] for row in rows} == {outcome}


def test_max_run_ends_it(server: ServerProcess, warm_driver: Driver, tmp_path: Path) -> None:
    short = closed(stream(server.port), max_run_s=1.0)
    with warm_driver.start(short, tmp_path, tmp_path / "load.log") as load:
        with pytest.raises(LoadError, match="already ended"):
            load.run_for(seconds=20)
        assert load.stop().ended_by == "max_run_s"


@pytest.mark.parametrize(
    "changes",
    [
        {"users": 0},
        {"users": 1_001},
        {"wait_s": (0.2, 0.1)},
        {"wait_s": (-1.0, 1.0)},
        {"wait_s": (0.0, 1.0)},
        {"wait_s": (0.1, float("nan"))},
        {"wait_s": (0.1, 3_601.0)},
        {"users": 1_000, "wait_s": (0.1, 0.2)},
        {"streams": ()},
        {"load_id": ""},
        {"answer_timeout_s": 301.0},
        {"max_run_s": 0.5},
    ],
    ids=str,
)
def test_plans_are_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="load"):
        closed(**({"streams": (stream(80),)} | changes))


def test_new_connections_are_bounded_by_what_users_may_ask() -> None:
    closed(stream(80, "new"), users=20, wait_s=(0.1, 0.1))
    with pytest.raises(UsageError, match=r"210\.0 new connections/s"):
        closed(stream(80, "new"), users=21, wait_s=(0.1, 0.1))


def test_a_plan_travels() -> None:
    users = closed(stream(80), stream(81, "new"), users=2)
    assert msgspec.json.decode(msgspec.json.encode(users), type=ClosedPlan) == users
