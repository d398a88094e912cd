"""A finished session is kept in the store, and a store that refuses it changes nothing else."""

import sqlite3
from pathlib import Path

import pytest

from chaoskit.store.store import Store

# It ends UNKNOWN: the engine that its fixtures ask for cannot be there.
SCENARIO = """
def test_scenario(chaos):
    '''Goal in one line.'''
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path / "state"))


def ran(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile(SCENARIO)
    return pytester.runpytest_subprocess("-p", "no:locust", *options)


def test_a_session_is_kept_in_the_state_folder(pytester: pytest.Pytester, tmp_path: Path) -> None:
    result = ran(pytester, "--chaos-seed=5")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    path = tmp_path / "state" / "runs.sqlite"
    result.stdout.fnmatch_lines([f"kept: {path} (chaoskit runs show *-5)"])
    with Store(path) as store:
        (run,) = store.runs()
    assert (run.outcome, run.seed, run.finished) == ("UNKNOWN", 5, True)
    (scenario,) = run.scenarios
    assert scenario.nodeid.endswith("::test_scenario")
    assert (scenario.nodes, scenario.profile) == ("1+2", "fast")
    assert "cores" in scenario.machine
    assert Path(run.report).exists()


@pytest.mark.long
def test_the_ini_file_names_the_store_and_the_command_line_wins(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makeini(f"[pytest]\nchaos_store = {tmp_path}/ini.sqlite\n")
    ran(pytester)
    ran(pytester, f"--chaos-store={tmp_path}/line.sqlite")
    ran(pytester, "--chaos-store=none").stdout.no_fnmatch_line("kept: *")
    for name in ("ini", "line"):
        with Store(tmp_path / f"{name}.sqlite") as store:
            assert len(store.ids()) == 1
    assert not (tmp_path / "state" / "runs.sqlite").exists()


@pytest.mark.long
def test_a_store_that_refuses_is_said_and_the_run_ends_as_it_would_have(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    path = tmp_path / "newer.sqlite"
    Store(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    without = ran(pytester, "--chaos-store=none")
    result = ran(pytester, f"--chaos-store={path}")
    assert result.ret == without.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["this run was not kept: *has version 99*", "*next: chaoskit runs add *"]
    )
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_run_without_scenarios_keeps_nothing(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile("def test_plain():\n    assert True\n")
    pytester.runpytest_subprocess("-p", "no:locust").assert_outcomes(passed=1)
    assert not (tmp_path / "state" / "runs.sqlite").exists()
