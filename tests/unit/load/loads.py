"""Plans for small loads to 127.0.0.1, a server process to send them to, and reading the record."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from chaoskit.history.events import LoadMark
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.messages import Plan
from chaoskit.load.profile import LoadPlan, Operation, Stream
from chaoskit.load.running import RunningLoad
from chaoskit.waiting import wait_until

READ = Operation(name="read", method="GET", path="/")
WRITE = Operation(name="write", method="PUT", path="/kv/{key}")


class ServerProcess:
    """The server of server.py, and its switch."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._read())

    def mode(self, *words: str) -> None:
        """Switch for all requests from now on."""
        assert self._tell("mode", *words) == "done"

    def forget(self) -> None:
        """Go back to mode ok; count and store from nothing."""
        assert self._tell("forget") == "done"

    def stall(self, seconds: float) -> None:
        """Let the whole process answer nobody for so long, from about now."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"stall {seconds}\n")
        self._process.stdin.flush()

    def asked(self) -> int:
        """Requests that have come in, answered or not."""
        return int(self._tell("asked"))

    def stored(self) -> list[str]:
        """The bodies of all writes that were answered with 200, in their order."""
        return self._tell("stored").split()

    def stop(self) -> None:
        """End it by the end of its input."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _tell(self, *words: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def stream(port: int, connection: str = "kept", **changes: Any) -> Stream:
    """A stream to 127.0.0.1."""
    values: dict[str, Any] = {
        "name": connection,
        "connection": connection,
        "entry": "kv-1",
        "host": "127.0.0.1",
        "port": port,
        "operations": (READ,),
    }
    return Stream(**(values | changes))


def plan(*streams: Stream, **changes: Any) -> LoadPlan:
    """A plan of 50 slots a second, patient enough for a busy machine."""
    values: dict[str, Any] = {
        "load_id": "load-1",
        "streams": streams,
        "rate_per_s": 50,
        "seed": 7,
        "connect_timeout_s": 2.0,
        "answer_timeout_s": 2.0,
    }
    return LoadPlan(**(values | changes))


def closed(*streams: Stream, **changes: Any) -> ClosedPlan:
    """Three users who ask about ten times a second each."""
    values: dict[str, Any] = {
        "load_id": "load-1",
        "streams": streams,
        "users": 3,
        "wait_s": (0.05, 0.15),
        "seed": 7,
        "connect_timeout_s": 2.0,
        "answer_timeout_s": 2.0,
    }
    return ClosedPlan(**(values | changes))


def marks_of(folder: Path, load_id: str = "load-1") -> list[str]:
    """The marks of one load in their order."""
    return [mark.mark for mark in history_of(folder).of(LoadMark) if mark.load_id == load_id]


def run_slots(load: RunningLoad[Plan], count: int) -> None:
    """Let the load run until so many slots have come due."""

    def enough() -> bool:
        load.run_for(seconds=0.05)
        return load.health is not None and load.health.planned >= count

    wait_until(enough, what=f"{count} slots", timeout_s=30, interval_s=0)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """All requests of a record, by planned time."""
    rows: list[dict[str, Any]] = history_of(folder).requests.to_pylist()
    return rows


def history_of(folder: Path) -> History:
    """The record in a folder that has no run.json."""
    return History(folder=RecordFolder(folder), info=None)
