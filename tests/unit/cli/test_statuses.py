"""Exit statuses and help: the same words for every subcommand, and true."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chaoskit import cli
from chaoskit.cli import statuses
from chaoskit.errors import (
    ChaoskitError,
    ClusterError,
    EngineError,
    FaultError,
    RecordError,
    StoreError,
    UsageError,
)

CHAOSKIT = Path(sys.executable).with_name("chaoskit")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every subcommand, with those of groups."""
    context = click.Context(cli.group)
    for name in cli.SUBCOMMANDS:
        found = cli.group.get_command(context, name)
        assert found is not None
        yield name, found


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_help_ends_with_examples_that_parse_and_with_the_statuses(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([name, "--help"]) == statuses.EXIT_HELD
    shown = capsys.readouterr().out
    assert "Examples:" in shown
    assert "Exit status:" in shown
    examples = [row for row in shown.splitlines() if row.strip().startswith("chaoskit ")]
    assert all(row.split()[1] in cli.SUBCOMMANDS for row in examples)


@pytest.mark.parametrize(
    "error, status",
    [
        (UsageError("x"), 2),
        (RecordError("x"), 3),
        (StoreError("x"), 4),
        (EngineError("x"), 4),
        (ClusterError("x"), 4),
        (FaultError("x"), 4),
        (ChaoskitError("x"), 4),
    ],
)
def test_an_error_has_the_status_of_its_kind(error: ChaoskitError, status: int) -> None:
    assert statuses.of_error(error) == status


@pytest.mark.parametrize(
    "outcome, status", [("HELD", 0), ("VIOLATED", 1), ("UNKNOWN", 3), ("NOT_RUN", 3)]
)
def test_an_outcome_has_its_status(outcome: str, status: int) -> None:
    assert statuses.of_outcome(outcome) == status


@pytest.mark.parametrize("name", [*cli.SUBCOMMANDS])
def test_an_unknown_option_is_wrong_usage(name: str) -> None:
    assert cli.run([name, "--no-such-option"]) == statuses.EXIT_USAGE


@pytest.mark.parametrize(
    "command",
    [["doctor", "--for", "test"], ["cluster", "ls"], ["image", "ls"], ["inject", "nic_down", "a",
     "--for", "1s"]],
)  # fmt: skip
def test_without_an_engine_the_surroundings_failed(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path))
    assert cli.run(command) == statuses.EXIT_ENVIRONMENT


def test_a_folder_without_a_run_is_not_known(tmp_path: Path) -> None:
    for command in ("check", "report"):
        assert cli.run([command, str(tmp_path)]) == statuses.EXIT_UNKNOWN


@pytest.mark.parametrize(
    "typed, offered",
    [
        (["chaoskit", "run"], "runs"),
        (["chaoskit", "runs", "pr"], "prune"),
        (["chaoskit", "inject", "nic_"], "nic_down"),
        (["chaoskit", "report", "--si"], "--since"),
    ],
)
def test_bash_completes(typed: list[str], offered: str) -> None:
    """In a real bash: the script is read, and its function is asked as bash asks it."""
    words = " ".join(f'"{word}"' for word in typed)
    script = (
        f'PATH="{CHAOSKIT.parent}:$PATH"; eval "$(chaoskit completion bash)";'
        f" COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1};"
        ' _chaoskit_completion chaoskit "${COMP_WORDS[COMP_CWORD]}"; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert offered in done.stdout.split()


@pytest.mark.parametrize("command", [["faults"], ["faults", "nic_down"], ["doctor", "--help"]])
@pytest.mark.parametrize("place", ["full", "closed"])
def test_output_that_nobody_takes_is_no_verdict(command: list[str], place: str) -> None:
    """On a full disk, or into a pipe whose reader is gone: in words, and not as VIOLATED."""
    if place == "full":
        into = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, into = os.pipe()
        os.close(reader)
    done = subprocess.run(
        [CHAOSKIT, *command],
        check=False,
        stdout=into,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(into)
    assert done.returncode == statuses.EXIT_ENVIRONMENT
    assert "Traceback" not in done.stderr
    assert ("No space left" in done.stderr) == (place == "full")


def test_a_duration_is_refused_by_the_option_that_it_was_given_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for option in ("--baseline", "--within"):
        command = ["rollout", "deployment/web", "--restart", option, "soon"]
        assert cli.run(command) == statuses.EXIT_USAGE
        assert f"{option}: no duration" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", shell]) == statuses.EXIT_HELD
    assert "_CHAOSKIT_COMPLETE" in capsys.readouterr().out


def test_the_page_of_statuses_names_every_subcommand() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "exit-statuses.md"
    rows = [row.split("|")[1] for row in page.read_text().splitlines() if row.startswith("| `")]
    named = {word.split()[0] for row in rows for word in row.split("`")[1::2]}
    assert set(cli.SUBCOMMANDS) <= named
