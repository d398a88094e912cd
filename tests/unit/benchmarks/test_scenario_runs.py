"""Runs that are kept: each counted once, and what they say together."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import scenario_runs
from benchmarks.scenario_runs import ScenarioRun, page
from chaoskit.history.session import Session, SessionScenario, write_session


def run(outcome: str, why: str = "") -> ScenarioRun:
    return ScenarioRun(
        run_id="one", commit="abc", day="2026-01-02", nodeid="scenarios/x/test_y.py::test_z",
        rows=["R1"], outcome=outcome, why=why, wall_s=10.0, requests=500, not_ok=3, outage_s=0.5,
    )  # fmt: skip


def test_runs_that_were_not_held_are_counted_bounded_and_named() -> None:
    text = page([run("HELD"), run("HELD"), run("UNKNOWN", "it left no record")])
    assert "| R1 | `x/test_y.py::test_z` | 3 | 2 | 0 | 1 | 86% | 10.0 | 500 | 3 | 0.5 |" in text
    assert "- 2026-01-02 `x/test_y.py::test_z`: UNKNOWN: it left no record" in text


def test_runs_of_another_profile_are_counted_apart() -> None:
    text = page([run("HELD"), msgspec.structs.replace(run("HELD"), profile="default")])
    assert "| `x/test_y.py::test_z` | 1 |" in text
    assert "| `x/test_y.py::test_z`, profile default | 1 |" in text


def test_a_session_is_added_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario_runs, "RUNS", tmp_path / "runs.jsonl")
    scenarios = [
        SessionScenario(slug="a", nodeid="test_a", outcome="UNKNOWN", reason="no record"),
        SessionScenario(slug="b", nodeid="test_b", outcome="NOT_RUN", reason="lacks netem"),
    ]
    session = Session(run_id="one", seed=1, started_wall_ns=0, finished=True, scenarios=scenarios)
    write_session(session, tmp_path / "session")
    assert scenario_runs.add([tmp_path / "session"]) == 1
    assert scenario_runs.add([tmp_path / "session"]) == 0
    (kept,) = scenario_runs.kept()
    assert (kept.nodeid, kept.day) == ("test_a", "1970-01-01")
    assert kept.why
