"""A stored run: the session's list and the record folders, reconciled without losing either."""

import json
from pathlib import Path

import pytest

from chaoskit.errors import RecordError
from chaoskit.history.session import SESSION_FILE, SessionScenario, write_session
from chaoskit.report.stored import StoredScenario, load_run
from tests.unit.report.scenes import (
    session_of,
)
from tests.unit.report.synthetic import (
    run_info,
    verdict,
    write_record,
)


def outcomes(folder: Path) -> dict[str, str]:
    return {scenario.slug: scenario.outcome for scenario in load_run(folder).scenarios}


def only(folder: Path) -> StoredScenario:
    (scenario,) = load_run(folder).scenarios
    return scenario


def listed(outcome: str, **changes: object) -> SessionScenario:
    values = {"slug": "one", "nodeid": "t.py::t", "outcome": outcome, **changes}
    return SessionScenario(**values)  # type: ignore[arg-type]  # drawn from a table


def test_every_outcome_is_there_and_the_worst_is_the_runs(run_folder: Path) -> None:
    run = load_run(run_folder)
    assert outcomes(run_folder) == {
        "nic-down": "VIOLATED",
        "set-image": "HELD",
        "drain": "UNKNOWN",
        "netem": "NOT_RUN",
    }
    assert run.outcome == "VIOLATED"
    assert run.counts == {"VIOLATED": 1, "UNKNOWN": 1, "HELD": 1, "NOT_RUN": 1}
    assert run.notes == ()


def test_without_a_session_the_records_are_read_one_by_one(run_folder: Path) -> None:
    (run_folder / SESSION_FILE).unlink()
    run = load_run(run_folder)
    assert outcomes(run_folder) == {"nic-down": "VIOLATED", "set-image": "HELD", "drain": "UNKNOWN"}
    assert "no session.json" in run.notes[0]


def test_a_damaged_session_is_a_note(run_folder: Path) -> None:
    (run_folder / SESSION_FILE).write_text("{")
    run = load_run(run_folder)
    assert len(run.scenarios) == 3
    assert "could not be read" in run.notes[0]


def test_a_record_that_the_session_does_not_name_is_shown(run_folder: Path) -> None:
    write_session(session_of(scenarios=[], finished=False), run_folder)
    run = load_run(run_folder)
    assert len(run.scenarios) == 3
    assert "did not end by itself" in run.notes[0]
    assert all("does not name" in scenario.notes[0] for scenario in run.scenarios)


def test_a_single_record_folder_is_a_run_of_one(run_folder: Path) -> None:
    assert outcomes(run_folder / "nic-down") == {"nic-down": "VIOLATED"}


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="neither a session nor a record"):
        load_run(tmp_path)


def test_a_session_without_scenarios_is_unknown(tmp_path: Path) -> None:
    write_session(session_of(scenarios=[]), tmp_path)
    assert load_run(tmp_path).outcome == "UNKNOWN"


@pytest.mark.parametrize(
    "said, judged, outcome",
    [
        ("HELD", "HELD", "HELD"),
        ("UNKNOWN", "HELD", "UNKNOWN"),
        ("HELD", "VIOLATED", "VIOLATED"),
        ("VIOLATED", "HELD", "VIOLATED"),
        ("NOT_RUN", "HELD", "HELD"),
    ],
)
def test_the_worse_of_session_and_verdicts_counts(
    tmp_path: Path, said: str, judged: str, outcome: str
) -> None:
    write_record(tmp_path / "one", run_info("one"), verdicts=[verdict(judged, "a", "b")])
    write_session(session_of(scenarios=[listed(said, reason="why")]), tmp_path)
    assert only(tmp_path).outcome == outcome
    assert only(tmp_path).reason == "why"


@pytest.mark.parametrize(
    "said, outcome", [("HELD", "UNKNOWN"), ("NOT_RUN", "NOT_RUN"), ("VIOLATED", "VIOLATED")]
)
def test_a_record_without_verdicts_is_never_held(tmp_path: Path, said: str, outcome: str) -> None:
    write_record(tmp_path / "one", run_info("one"))
    write_session(session_of(scenarios=[listed(said)]), tmp_path)
    assert only(tmp_path).outcome == outcome


def test_a_scenario_listed_as_held_without_any_record_is_unknown(tmp_path: Path) -> None:
    write_session(session_of(scenarios=[listed("HELD")]), tmp_path)
    assert only(tmp_path).outcome == "UNKNOWN"
    assert only(tmp_path).reason == "it left no record"


def test_a_record_judged_by_no_guarantee_is_unknown(tmp_path: Path) -> None:
    write_record(tmp_path / "one", run_info("one"), verdicts=[])
    assert only(tmp_path).outcome == "UNKNOWN"
    assert only(tmp_path).reason == "it asked for no guarantee"


@pytest.mark.parametrize("name", ["run.json", "verdicts.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "schema"])
def test_a_damaged_file_makes_unknown_and_a_note(tmp_path: Path, name: str, content: str) -> None:
    write_record(tmp_path / "one", run_info("one"), verdicts=[verdict("HELD", "a", "b")])
    path = tmp_path / "one" / name
    if content == "schema":
        content = json.dumps({**json.loads(path.read_text()), "schema_version": 99})
    path.write_text(content)
    scenario = only(tmp_path)
    if name == "verdicts.json":
        assert scenario.outcome == "UNKNOWN"
        assert "could not be read" in scenario.reason
    else:
        assert scenario.info is None
        assert "could not be read" in scenario.notes[0]
