"""`chaoskit doctor` on this very machine, with an environment that lacks an engine."""

import json
from pathlib import Path

import pytest

from chaoskit import cli
from chaoskit.cli import statuses


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An engine named where none is: a choice that doctor must not replace by another."""
    endpoint = f"unix://{tmp_path}/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", endpoint)
    monkeypatch.setenv("CHAOSKIT_STATE_DIR", str(tmp_path / "state"))
    return endpoint


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("options", [[], ["--fix"]])
def test_a_missing_engine_is_one_screen_and_status_4(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert cli.run(["doctor", *options]) == statuses.EXIT_ENVIRONMENT
    shown = capsys.readouterr().out
    assert "MISSING" in shown
    assert "unset DOCKER_HOST" in shown
    assert len(shown.splitlines()) <= 45


def test_json_has_every_row(no_engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--json"]) == statuses.EXIT_ENVIRONMENT
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["container engine"]["state"] == "missing"
    assert no_engine in rows["container engine"]["seen"]
    assert {"Python", "virtualenv", "disk", "Go", "kernel", "node image"} <= rows.keys()


@pytest.mark.usefixtures("no_engine")
def test_unit_tests_need_no_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--fix", "--for", "unit"]) == 0
    assert capsys.readouterr().out.startswith("ready: Python")
