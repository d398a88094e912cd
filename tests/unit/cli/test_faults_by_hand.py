"""`chaoskit faults`, `inject` and `heal`: what they say, and what they say to wrong input."""

from pathlib import Path

import pytest

from chaoskit import cli
from chaoskit.cli import statuses
from chaoskit.cli.inject import parameters_from, seconds_of
from chaoskit.cluster.launch import labels
from chaoskit.errors import UsageError
from chaoskit.faults import NicDown
from chaoskit.faults.catalogue import fault_types
from chaoskit.faults.ledger.entry import entry_for
from chaoskit.faults.ledger.ledger import Ledger


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State of its own, and an engine that cannot be there."""
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    return tmp_path


def opened(node: str = "one") -> None:
    Ledger().open(
        entry_for(
            NicDown(node), cluster="c", engine="e", heal_after_s=60, owner=labels.this_process()
        )
    )


def test_the_catalogue_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(fault_types())
    assert all("requires:" in line for line in lines)


@pytest.mark.parametrize("name", sorted(fault_types()))
def test_each_is_explained_with_its_parameters(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["faults", name]) == 0
    said = capsys.readouterr().out
    assert all(part in said for part in ("Breaks:", "Heal:", "Requires:", "Parameters:"))
    assert f"chaoskit inject {name}" in said


def test_what_is_open_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["faults", "--open"]) == 0
    assert capsys.readouterr().out == "nothing is open\n"
    opened("one")
    assert cli.run(["faults", "--open"]) == 0
    assert "nic_down on one of cluster c" in capsys.readouterr().out


def test_a_torn_file_is_named_and_the_exit_status_says_so(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened()
    torn = state / "ledger" / "torn.json"
    torn.write_text('{"version": 1, "id"')
    for command in (["heal"], ["faults", "--open"]):
        assert cli.run(command) == statuses.EXIT_VIOLATED
        said = capsys.readouterr()
        assert str(torn) in said.err
        assert "next: " in said.err
        assert "nic_down on one" in said.out
    assert torn.exists()


def test_heal_leaves_what_a_living_session_has_open(capsys: pytest.CaptureFixture[str]) -> None:
    opened()
    assert cli.run(["heal"]) == 0
    assert "left alone: process" in capsys.readouterr().out
    assert len(Ledger().read().entries) == 1


def test_heal_without_its_engine_says_so_and_keeps_the_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened()
    assert cli.run(["heal", "--all"]) == statuses.EXIT_VIOLATED
    said = capsys.readouterr()
    assert "still open" in said.out
    assert "no container engine answers" in said.out
    assert len(Ledger().read().entries) == 1


def test_heal_with_nothing_open_needs_no_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["heal"]) == 0
    assert capsys.readouterr().out == "nothing is open\n"


@pytest.mark.parametrize(
    "arguments, shown",
    [
        (["inject", "nic_dwn", "agent-0", "--for", "3s"], ["nic_dwn: no such fault", "nic_down"]),
        (["inject", "nic_down", "a", "--for", "3"], ["--for: no duration", "seen: 3", "500ms"]),
        (["inject", "nic_down", "a", "--for", "0s"], ["--for: no duration", "seen: 0s"]),
        (["inject", "nic_down", "a/b", "--for", "3s"], ["1 parts: node", "seen: a/b", "NODE"]),
        (
            ["inject", "nic_down", "a", "--for", "3s", "--set", "interfce=eth1"],
            ["--set: no parameter of nic_down", "seen: interfce=eth1", "interface=…"],
        ),
        (
            ["inject", "nic_down", "a", "--for", "3s", "--set", "interface"],
            ["--set: no key=value", "seen: interface"],
        ),
        (
            ["inject", "nic_down", "a", "--for", "3s", "--set", "interface=[1"],
            ["--set interface: not JSON", "seen: [1"],
        ),
        (["faults", "nic_dwn"], ["nic_dwn: no such fault", "chaoskit faults"]),
        (["faults", "nic_down", "--open"], ["takes a name or --open"]),
    ],
)
def test_wrong_input_is_named_with_the_next_step(
    arguments: list[str], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == statuses.EXIT_USAGE
    said = capsys.readouterr().err
    assert [part for part in shown if part not in said] == [], said


@pytest.mark.parametrize(
    "text, seconds", [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("1h", 3600), ("24h", 86400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text, "--for") == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "25h", "1e3s", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="--within: no duration"):
        seconds_of(text, "--within")


def test_the_target_stands_for_what_is_required_and_not_set() -> None:
    assert parameters_from("nic_down", "one", ["interface=eth1"]) == {
        "node": "one",
        "interface": "eth1",
    }


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["-n", "shop"], "-n: is for an existing cluster"),
        (["--node-faults"], "--node-faults: is for an existing cluster"),
        (["--context", "staging"], "no -n"),
        (["--context", "staging", "-n", "shop", "--cluster", "mine"], "--cluster mine"),
    ],
)
def test_an_existing_cluster_is_named_whole_and_alone(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.run(["inject", "pod_deleted", "shop/web", "--for", "1s", *arguments])
    assert status == statuses.EXIT_USAGE
    assert said in capsys.readouterr().err
