"""The store itself: runs are added, listed, read, and pruned."""

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from chaoskit.cluster.launch.state import state_folder
from chaoskit.errors import StoreError, UsageError
from chaoskit.store.database import LOCKED_AT_MOST_S, Database
from chaoskit.store.kept import KeptRun, KeptScenario, KeptVerdict

FILE_NAME = "runs.sqlite"
NAMED_BY = "CHAOSKIT_STORE"
#: Names the newest run where a run's id is asked for.
LATEST = "latest"
_SHOWN_AT_MOST = 5

_RUN_TEXTS = ("run_id", "outcome", "command", "chaoskit", "folder", "report")
_SCENARIO_TEXTS = (
    *("slug", "nodeid", "title", "outcome", "reason", "record"),
    *("kubernetes", "nodes", "profile", "image", "machine"),
)
_MEASURES = ("requests", "lost", "downtime_s", "recovery_s", "response_p99_s")


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run as a list shows it: `counts` are its scenarios by outcome."""

    run_id: str
    started_wall_ns: int
    wall_s: float
    outcome: str
    kubernetes: str
    nodes: str
    machine: str
    counts: dict[str, int]
    folder: str

    @property
    def started(self) -> str:
        """When it began, to the second, in UTC."""
        return datetime.fromtimestamp(self.started_wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def default_path() -> Path:
    """Where runs are kept when nobody names a place: $CHAOSKIT_STORE, else in the state folder."""
    named = os.environ.get(NAMED_BY)
    return Path(named) if named else state_folder() / FILE_NAME


class Store:
    """An open store. Each method raises `StoreError` for what the file or its disk refuses."""

    def __init__(self, path: Path, *, timeout_s: float = LOCKED_AT_MOST_S) -> None:
        self.path = path
        self._database = Database(path, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. May be repeated."""
        self._database.close()

    def add(self, run: KeptRun) -> None:
        """Keep a run, whole or not at all; one that is kept already is replaced."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM runs WHERE run_id = ? AND started_wall_ns = ?",
                (run.run_id, run.started_wall_ns),
            )
            number = _insert(connection, "runs", _run_row(run))
            for scenario in run.scenarios:
                row = {"run": number, **_scenario_row(scenario)}
                of_scenario = _insert(connection, "scenarios", row)
                for place, verdict in enumerate(scenario.verdicts):
                    row = {"scenario": of_scenario, "place": place, **_verdict_row(verdict)}
                    _insert(connection, "verdicts", row)

    def lines(self, *, since_wall_ns: int = 0, at_most: int | None = None) -> list[RunLine]:
        """The runs that began since then, the newest first."""
        rows = self._database.read(
            "SELECT * FROM runs WHERE started_wall_ns >= ?"
            " ORDER BY started_wall_ns DESC, id DESC LIMIT ?",
            (since_wall_ns, -1 if at_most is None else at_most),
        )
        return [self._line(row) for row in rows]

    def find(self, run_id: str) -> KeptRun:
        """The run of that id, of the only id that begins so, or the "latest" one.

        Raises `UsageError` when there is none, or more than one.
        """
        rows = self._database.read(
            "SELECT * FROM runs ORDER BY run_id != ?, started_wall_ns DESC, id DESC", (run_id,)
        )
        if run_id == LATEST:
            rows = sorted(rows, key=lambda row: (row["started_wall_ns"], row["id"]))[-1:]
        else:
            exact = [row for row in rows if row["run_id"] == run_id]
            rows = exact or [row for row in rows if row["run_id"].startswith(run_id)]
        if len(rows) != 1:
            names = [str(row["run_id"]) for row in rows[:_SHOWN_AT_MOST]]
            raise UsageError(
                "more than one run begins so" if rows else "no such run is kept",
                subject=f"run {run_id}",
                seen=f"{', '.join(names)}{' …' if len(rows) > len(names) else ''}"
                if rows
                else f"the store {self.path}",
                next_step="chaoskit runs ls",
            )
        return self._run(rows[0])

    def runs(self, *, since_wall_ns: int = 0, scenario: str = "") -> list[KeptRun]:
        """The runs that began since then, the oldest first, with all that is kept of them.

        Of their scenarios only those with this in their node id.
        """
        rows = self._database.read(
            "SELECT * FROM runs WHERE started_wall_ns >= ? ORDER BY started_wall_ns, id",
            (since_wall_ns,),
        )
        runs = [self._run(row) for row in rows]
        if not scenario:
            return runs
        return [
            msgspec.structs.replace(run, scenarios=chosen)
            for run in runs
            if (chosen := [each for each in run.scenarios if scenario in each.nodeid])
        ]

    def ids(self) -> list[str]:
        """The ids of all runs, the newest first."""
        rows = self._database.read("SELECT run_id FROM runs ORDER BY started_wall_ns DESC, id DESC")
        return [str(row["run_id"]) for row in rows]

    def remove(self, lines: Iterable[RunLine]) -> int:
        """Remove these runs; their records stay where they are. How many were there."""
        removed = 0
        with self._database.writing() as connection:
            for line in lines:
                removed += connection.execute(
                    "DELETE FROM runs WHERE run_id = ? AND started_wall_ns = ?",
                    (line.run_id, line.started_wall_ns),
                ).rowcount
        if removed:
            self._database.compact()
        return removed

    def _line(self, row: sqlite3.Row) -> RunLine:
        scenarios = self._database.read(
            "SELECT outcome, kubernetes, nodes, machine FROM scenarios WHERE run = ?", (row["id"],)
        )
        counts: dict[str, int] = {}
        for scenario in scenarios:
            counts[scenario["outcome"]] = counts.get(scenario["outcome"], 0) + 1
        return RunLine(
            run_id=row["run_id"],
            started_wall_ns=row["started_wall_ns"],
            wall_s=row["wall_s"],
            outcome=row["outcome"],
            kubernetes=_all(scenarios, "kubernetes"),
            nodes=_all(scenarios, "nodes"),
            machine=_all(scenarios, "machine"),
            counts=counts,
            folder=row["folder"],
        )

    def _run(self, row: sqlite3.Row) -> KeptRun:
        scenarios = self._database.read(
            "SELECT * FROM scenarios WHERE run = ? ORDER BY id", (row["id"],)
        )
        return self._built(
            KeptRun,
            {
                **{name: row[name] for name in _RUN_TEXTS},
                **{name: row[name] for name in ("started_wall_ns", "wall_s", "seed")},
                "finished": bool(row["finished"]),
                "options": self._parsed(row["options"]),
                "facts": self._parsed(row["facts"]),
                "scenarios": [self._scenario(scenario) for scenario in scenarios],
            },
        )

    def _scenario(self, row: sqlite3.Row) -> dict[str, Any]:
        verdicts = self._database.read(
            "SELECT * FROM verdicts WHERE scenario = ? ORDER BY place", (row["id"],)
        )
        return {
            **{name: row[name] for name in _SCENARIO_TEXTS},
            "rows": self._parsed(row["catalogue_rows"]),
            "wall_s": row["wall_s"],
            "measures": {name: row[name] for name in _MEASURES},
            "verdicts": [
                {
                    **{name: verdict[name] for name in ("guarantee", "version", "title")},
                    **{name: verdict[name] for name in ("outcome", "summary")},
                    "parameters": self._parsed(verdict["parameters"]),
                    "figures": self._parsed(verdict["figures"]),
                }
                for verdict in verdicts
            ],
        }

    def _built(self, kind: type[KeptRun], values: dict[str, Any]) -> KeptRun:
        try:
            return msgspec.convert(values, kind)
        except msgspec.ValidationError as error:
            raise self._strange(values["run_id"], error) from error

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise self._strange(text[:80], error) from error

    def _strange(self, what: object, error: Exception) -> StoreError:
        return StoreError(
            "holds what no chaoskit writes",
            subject=f"{self.path}, {what}",
            seen=error,
            next_step="move it away; chaoskit runs add FOLDER keeps stored runs anew",
        )


def _all(scenarios: Sequence[sqlite3.Row], name: str) -> str:
    """All values that the scenarios of a run have, which mostly is one."""
    return ", ".join(dict.fromkeys(str(row[name]) for row in scenarios if row[name]))


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    """Insert a row whose columns are ours, and return its number."""
    places = ", ".join("?" * len(row))
    done = connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())
    )
    assert done.lastrowid is not None  # an INSERT that succeeded has one
    return done.lastrowid


def _run_row(run: KeptRun) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in _RUN_TEXTS},
        **{name: getattr(run, name) for name in ("started_wall_ns", "wall_s", "seed", "finished")},
        "options": json.dumps(run.options),
        "facts": json.dumps(run.facts),
    }


def _scenario_row(scenario: KeptScenario) -> dict[str, Any]:
    return {
        **{name: getattr(scenario, name) for name in _SCENARIO_TEXTS},
        **{name: getattr(scenario.measures, name) for name in _MEASURES},
        "catalogue_rows": json.dumps(scenario.rows),
        "wall_s": scenario.wall_s,
    }


def _verdict_row(verdict: KeptVerdict) -> dict[str, Any]:
    names = ("guarantee", "version", "title", "outcome", "summary")
    return {
        **{name: getattr(verdict, name) for name in names},
        "parameters": json.dumps(verdict.parameters),
        "figures": json.dumps(verdict.figures),
    }
