"""The command's frame: lazy subcommands, exit statuses, errors on one screen."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from chaoskit import cli
from chaoskit.cli import statuses

FOLDER = Path(cli.__file__).parent


def test_the_table_and_the_files_agree() -> None:
    """A subcommand is a module here that has a `command`; others of this folder serve those."""
    modules = {
        path.stem.replace("_", "-")
        for path in FOLDER.glob("*.py")
        if "\ndef command(" in path.read_text() or "\ncommand = " in path.read_text()
    }
    assert modules == set(cli.SUBCOMMANDS)


@pytest.mark.parametrize("name", sorted(cli.SUBCOMMANDS))
def test_each_subcommand_loads(name: str) -> None:
    command = cli.group.get_command(click.Context(cli.group), name)
    assert isinstance(command, click.Command)


def test_help_loads_no_subcommand() -> None:
    code = (
        "import sys; from chaoskit import cli; cli.run(['--help']);"
        "print([n for n in cli.SUBCOMMANDS if f'chaoskit.cli.{n}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert all(name in done.stdout for name in cli.SUBCOMMANDS)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_subcommand_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctr"]) == statuses.EXIT_USAGE
    assert "doctr" in capsys.readouterr().err


def test_an_error_is_shown_with_its_next_step_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHAOSKIT_STATE_DIR", str(tmp_path))
    assert cli.run(["doctor", "--stop-engine"]) == statuses.EXIT_ENVIRONMENT
    shown = capsys.readouterr().err
    assert "next: an engine that was started otherwise" in shown
    assert "Traceback" not in shown


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chaoskit.cli", "--version"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("chaoskit, version ")


def test_a_standard_input_that_is_closed_or_no_text_is_said() -> None:
    strict = "PYTHONIOENCODING=utf-8:strict"
    for command, said in (
        ("{} lint - <&-", "is closed"),
        ("{} rollout deployment/web -f - --restart <&-", "is closed"),
        (f"printf '\\377' | {strict} {{}} lint -", "is no UTF-8"),
    ):
        line = command.format(f"{sys.executable} -m chaoskit.cli")
        done = subprocess.run(["sh", "-c", line], check=False, capture_output=True, text=True)
        assert done.returncode == statuses.EXIT_USAGE, line
        assert f"standard input: {said}" in done.stderr
