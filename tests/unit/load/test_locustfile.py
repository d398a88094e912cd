"""The user's own locustfile: its users run as Locust runs them, and all they send is on record."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaoskit.clock import now_ns
from chaoskit.errors import LoadError, UsageError
from chaoskit.history.events import DriverHealth, LoadMark, Note
from chaoskit.load.child_process import ChildProcess
from chaoskit.load.driven import DrivenPart
from chaoskit.load.driver import Driver
from chaoskit.load.messages import Begin
from chaoskit.load.running import RunningLoad
from tests.unit.load.loads import (
    ServerProcess,
    history_of,
    marks_of,
    plan,
    rows_of,
    run_slots,
    stream,
)
from tests.unit.load.locustfiles import Row, driven, planned, written

SHOP = """
    import time
    from locust import FastHttpUser, HttpUser, LoadTestShape, between, constant, events, task

    @events.test_start.add_listener
    def began(environment, **_):
        print("the users begin at", environment.host, environment.parsed_options.shelf)

    @events.init_command_line_parser.add_listener
    def options(parser):
        parser.add_argument("--shelf", default="top")

    class Shopper(HttpUser):
        host = "http://8.8.8.8"
        wait_time = between(0.02, 0.06)

        @task(3)
        def look(self):
            self.client.get("/")

        @task
        def buy(self):
            self.client.put("/kv/a", data="bought", name="buy")

        @task
        def doubt(self):
            with self.client.get("/doubt", catch_response=True) as answer:
                time.sleep(0.2)
                answer.failure("not what I wanted")

        @task
        def stumble(self):
            raise ArithmeticError("stumbled")

    class Quick(FastHttpUser):
        wait_time = constant(0.05)

        @task
        def look(self):
            self.client.get("/quick", headers={"Connection": "close"})

    class Shape(LoadTestShape):
        def tick(self):
            return None
"""


def test_a_locustfile_runs_and_is_recorded(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    before_ns = now_ns()
    rows = driven(warm_driver, planned(written(tmp_path, SHOP), server.port), tmp_path, 120)
    by_stream = {row["stream"]: row for row in rows}
    assert by_stream.keys() == {"GET /", "PUT buy", "GET /doubt", "GET /quick"}
    assert {row["user"] for row in rows} == {"Shopper-1", "Shopper-2", "Quick-1", "Quick-2"}
    assert {row["entry"] for row in rows} == {f"127.0.0.1:{server.port}"}  # not the class's host
    for row in rows:
        doubted = row["stream"] == "GET /doubt"
        assert (row["outcome"], row["error"]) == (("fail", "check") if doubted else ("ok", None))
        assert row["operation"] == ("write" if row["stream"] == "PUT buy" else "read")
        assert row["connection"] == ("new" if row["stream"] == "GET /quick" else "kept")
        assert (row["status"], row["pod"], row["node"]) == (200, "kv-1", "n-1")
        assert before_ns < row["planned_ns"] == row["sent_ns"] < row["end_ns"] < now_ns()
    # the task slept for 0.2 s over each of these answers before it reported it
    doubts = [row for row in rows if row["stream"] == "GET /doubt"]
    assert min(row["end_ns"] - row["sent_ns"] for row in doubts) < 200_000_000
    assert len({row["sequence"] for row in rows}) == len(rows) == server.asked()
    assert sorted(row["slot"] for row in rows) == list(range(len(rows)))
    assert server.stored() == ["bought"] * sum(row["stream"] == "PUT buy" for row in rows)
    _check_what_the_record_says(tmp_path, rows, server.port)


def _check_what_the_record_says(folder: Path, rows: list[Row], port: int) -> None:
    """Of the same load: its marks, notes and log. Another one would take another process."""
    history = history_of(folder)
    marks = history.of(LoadMark)
    assert marks_of(folder) == ["started", "steady", "stopping", "stopped"]
    assert {(mark.loop, mark.rate_per_s) for mark in marks} == {("closed", 0.0)}
    assert marks[0].detail == f"seed 7, 4 users of shop.py at 127.0.0.1:{port}"
    assert marks[-1].planned == len(rows) == history.of(DriverHealth)[-1].planned
    assert set(marks[-1].streams) == {row["stream"] for row in rows}
    notes = " | ".join(note.text for note in history.of(Note))
    assert "users of shop.py: Shopper, Quick;" in notes
    assert "FastHttpUser sends a request again, unseen" in notes
    assert "LoadTestShape of shop.py is not used" in notes
    assert notes.count("a task ended with ArithmeticError: stumbled") == 1
    log = (folder / "load.log").read_text()
    assert f"the users begin at http://127.0.0.1:{port} top" in log
    assert not history.damage


def test_the_next_load_gets_a_fresh_process(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    path = written(tmp_path, SHOP)
    first = tmp_path / "first"
    first.mkdir()
    chosen = planned(path, server.port, users=1, user_classes=("Quick",))
    with warm_driver.start(chosen, first, first / "load.log") as load:
        load.wait_steady(timeout_s=30)
        used = load.pid
        of_users = os.sched_getscheduler(used)
    assert {row["stream"] for row in rows_of(first)} == {"GET /quick"}
    second = tmp_path / "second"
    second.mkdir()
    with warm_driver.start(plan(stream(server.port)), second, second / "load.log") as load:
        run_slots(load, 5)
        assert load.pid != used
        own = os.sched_getscheduler(load.pid)
    assert of_users == os.SCHED_OTHER  # their code may never rest
    assert own == (os.SCHED_RR if may_be_first() else os.SCHED_OTHER)
    assert {row["stream"] for row in rows_of(second)} == {"kept"}


def may_be_first() -> bool:
    """Whether this machine lets a process of ours run before all others."""
    code = """
from chaoskit.priority import before_all_others
with before_all_others() as is_first:
    raise SystemExit(not is_first)
"""
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


HANGING = """
    import gevent
    from locust import FastHttpUser, HttpUser, constant, task

    class Patient(HttpUser):
        wait_time = constant(0.05)

        @task
        def ask(self):
            self.client.put("/", name="patient")

    class Hasty(HttpUser):
        wait_time = constant(0.05)

        @task
        def ask(self):
            try:
                with gevent.Timeout(0.3):
                    self.client.get("/", name="hasty")
            except gevent.Timeout:
                pass

    class Timed(FastHttpUser):
        network_timeout = 0.3
        wait_time = constant(0.05)

        @task
        def ask(self):
            self.client.get("/", name="timed")
"""


def test_requests_that_hang_are_on_record(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    """Locust itself says nothing of a request that is cut off with its user."""
    server.mode("hang")
    hanging = planned(written(tmp_path, HANGING), server.port, users=3, drain_s=0.5)
    with warm_driver.start(hanging, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 4)
        assert load.health is not None
        assert load.health.in_flight >= 1
    rows = rows_of(tmp_path)
    judged = {
        row["stream"]: (row["outcome"], row["error"]) for row in rows if row["error"] != "cut_off"
    }
    assert judged == {"GET hasty": ("fail", "timeout"), "GET timed": ("fail", "timeout")}
    patient = [row for row in rows if row["stream"] == "PUT patient"]
    assert [(row["outcome"], row["error"]) for row in patient] == [("unknown", "cut_off")]
    assert len(rows) == server.asked()


#: When the users are told to end the process is busy for a moment, in which all waits run out.
WAITING = """
    import time
    import gevent
    from locust import HttpUser, constant, events, task

    def be_busy():
        until = time.perf_counter() + 0.2
        while time.perf_counter() < until:
            pass

    @events.test_stopping.add_listener
    def stopping(environment, **_):
        gevent.spawn(be_busy)

    class Waiting(HttpUser):
        wait_time = constant(0.1)

        @task
        def ask(self):
            self.client.get("/")
"""


def test_a_user_whose_wait_is_just_over_at_the_end_begins_no_request_to_be_cut_off(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    waiting = planned(written(tmp_path, WAITING), server.port, users=10)
    rows = driven(warm_driver, waiting, tmp_path, 50)
    assert [row["error"] for row in rows if row["outcome"] != "ok"] == []


def test_a_file_that_cannot_run_is_told_at_once(warm_driver: Driver, tmp_path: Path) -> None:
    bad = planned(written(tmp_path, "class (", "bad.py"), 9)
    with pytest.raises(
        LoadError, match=r"load-1: bad\.py could not be loaded\n.*(\n.*)*SyntaxError"
    ):
        warm_driver.start(bad, tmp_path, tmp_path / "load.log")
    assert marks_of(tmp_path) == ["died"]
    assert not history_of(tmp_path).damage
    assert "SyntaxError" in (tmp_path / "load.log").read_text()
    assert warm_driver.alive


BASKET = """
    from locust import User, events

    @events.init_command_line_parser.add_listener
    def options(parser):
        parser.add_argument("--basket", required=True)

    class Shopper(User):
        pass
"""

BROKEN = [
    ("no such file", None, {}, "there is no such locustfile"),
    ("import error", "import not_there", {}, r"could not be loaded\n.*(\n.*)*'not_there'"),
    ("exit", "raise SystemExit(3)", {}, r"could not be loaded\n.*(\n.*)*SystemExit: 3"),
    ("no users", "import locust", {}, "has no User class that can be run"),
    (
        "other users",
        SHOP,
        {"user_classes": ("Shoper",)},
        "Shoper\n.*: Quick, Shopper",
    ),
    ("option", BASKET, {}, r"options that bad\.py adds are not usable\n.*(\n.*)*SystemExit"),
]


@pytest.fixture(scope="module")
def child() -> Iterator[ChildProcess]:
    """One process for all bad files, which a driver would not use again."""
    process = ChildProcess()
    process.wait_ready(60)
    yield process
    process.close()


@pytest.mark.parametrize("case", BROKEN, ids=[row[0] for row in BROKEN])
def test_a_file_that_cannot_run_says_why(
    case: tuple[str, str | None, dict[str, Any], str], child: ChildProcess, tmp_path: Path
) -> None:
    _, text, changes, complaint = case
    path = str(tmp_path / "bad.py") if text is None else written(tmp_path, text, "bad.py")
    begin = Begin(
        turn=BROKEN.index(case),
        plan=planned(path, 9, **changes),
        record_folder=str(tmp_path),
        log_path=str(tmp_path / "load.log"),
    )
    load = RunningLoad(begin.plan, [DrivenPart(child, begin, tmp_path)])
    with pytest.raises(LoadError, match=complaint):
        load.begin(begun_within_s=30)
    assert load.ended


LEAVING = """
    from locust import HttpUser, User, constant, task
    from locust.exception import StopUser

    class Once(HttpUser):
        wait_time = constant(0.05)

        @task
        def ask(self):
            self.client.get("/")
            raise StopUser

    class Caller(User):
        wait_time = constant(0.05)

        @task
        def call(self):
            self.environment.events.request.fire(
                request_type="rpc", name="call", response_time=50.0, response_length=0,
                exception=ArithmeticError("no answer"),
            )
            raise StopUser
"""


def test_users_that_leave_end_the_load(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    leaving = planned(written(tmp_path, LEAVING), server.port, users=2)
    with warm_driver.start(leaving, tmp_path, tmp_path / "load.log") as load:
        with pytest.raises(LoadError, match="ended by its users"):
            load.run_for(seconds=20)
        assert load.stop().ended_by == "its users"
    once, call = sorted(rows_of(tmp_path), key=lambda row: row["stream"])
    assert (once["stream"], once["user"], once["outcome"]) == ("GET /", "Once-1", "ok")
    # a client of the locustfile's own says little: nothing is made up
    assert (call["stream"], call["user"], call["connection"]) == ("rpc call", "Caller-1", "unknown")
    assert (call["operation"], call["outcome"]) == ("write", "unknown")
    assert (call["error"], call["status"]) == ("arithmeticerror", None)
    assert call["end_ns"] - call["sent_ns"] == 50_000_000


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"path": "relative.py"}, "absolute path"),
        ({"users": 0}, "users"),
        ({"users": 1_001}, "users"),
        ({"spawn_rate_per_s": 0.0}, "spawn_rate_per_s"),
        ({"host": "10.0.0.7:8080"}, "give a host such as"),
        ({"host": "ftp://10.0.0.7"}, "give a host such as"),
        ({"host": "http://10.0.0.7:port"}, "give a host such as"),
        ({"host": "http://8.8.8.8"}, "loopback and private addresses only"),
        ({"host": "http://[2001:db8::1]:80"}, "loopback and private addresses only"),
        ({"drain_s": 0.0}, "drain_s"),
        ({"steady_window_s": 1.0}, "steady_window_s"),
        ({"max_run_s": 100_000.0}, "max_run_s"),
    ],
    ids=str,
)
def test_plans_are_checked(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        planned(changes.pop("path", "/some/locustfile.py"), 80, **changes)


def test_a_name_is_resolved_and_its_addresses_checked(
    monkeypatch: pytest.MonkeyPatch, warm_driver: Driver, tmp_path: Path
) -> None:
    planned("/f.py", 80, host="http://localhost").check_resolved()
    named = planned("/f.py", 80, host="http://shop.example:8080")
    mixed = [(0, 0, 0, "", ("10.0.0.7", 8080)), (0, 0, 0, "", ("203.0.113.5", 8080))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: mixed)
    with pytest.raises(UsageError, match=r"to shop\.example: .*\n.*203\.0\.113\.5"):
        warm_driver.start(named, tmp_path, tmp_path / "load.log")

    def unknown(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(UsageError, match="give a host that resolves"):
        warm_driver.start(named, tmp_path, tmp_path / "load.log")


def test_a_password_in_the_host_is_not_told() -> None:
    secret = planned("/f.py", 80, host="http://me:secret@10.0.0.7")
    assert secret.address == ("10.0.0.7", 80)
    assert "secret" not in secret.described
    assert planned("/f.py", 80, host="https://10.0.0.7").address == ("10.0.0.7", 443)
