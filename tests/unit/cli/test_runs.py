"""`chaoskit runs` and `chaoskit report --since`, on a real store."""

import json
from pathlib import Path

import pytest

from chaoskit import cli, clock
from chaoskit.cli import statuses
from chaoskit.history.session import Session, SessionScenario, write_session
from chaoskit.store.store import Store
from tests.unit.store.kept_runs import DAY_NS, run, scenario, verdict


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "runs.sqlite"
    monkeypatch.setenv("CHAOSKIT_STORE", str(chosen))
    return chosen


@pytest.fixture
def kept(path: Path) -> Path:
    """Twenty days, the last five of them violated."""
    now_ns = clock.wall_ns()
    with Store(path) as store:
        for number in range(20):
            outcome = "VIOLATED" if number >= 15 else "HELD"
            began = now_ns - (20 - number) * DAY_NS
            store.add(run(number, outcome, run_id=f"r{number:02}", started_wall_ns=began))
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["runs", "ls", "--since", f"{10**20}d"],
        ["runs", "ls", "--since", f"{'9' * 400}d"],
        ["runs", "ls", "--last", str(10**20)],
        ["runs", "prune", "--older-than", f"{'9' * 400}w"],
        ["report", "--since", f"{10**15}w"],
        ["runs", "show", "r\udcff"],
        ["runs", "diff", "latest", "r\udcff"],
    ],
)
def test_what_no_store_can_be_asked_is_wrong_usage(kept: Path, command: list[str]) -> None:
    """Numbers beyond the store's, and bytes of a shell that are no text."""
    assert cli.run(command) == statuses.EXIT_USAGE


def test_ls_shows_the_newest_first(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["runs", "ls", "--last", "3"]) == statuses.EXIT_HELD
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", "r19", "r18", "r17"]
    assert "1 violated" in lines[1]


def test_ls_as_json_since(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["runs", "ls", "--since", "84h", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [each["run_id"] for each in told] == ["r19", "r18", "r17"]
    assert told[0]["counts"] == {"VIOLATED": 1}


def test_show_says_what_is_kept_with_the_status_of_the_run(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["runs", "show", "latest"]) == statuses.EXIT_VIOLATED
    shown = capsys.readouterr().out
    for said in ("r19: VIOLATED", "/records/19/report.html", "no outage longer", "p99 0.02 s"):
        assert said in shown
    assert cli.run(["runs", "show", "r03", "--json"]) == statuses.EXIT_HELD
    assert json.loads(capsys.readouterr().out)["scenarios"][0]["verdicts"][0]["guarantee"]
    assert cli.run(["runs", "show", "nothing"]) == statuses.EXIT_USAGE


def test_diff_says_what_is_worse(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(path) as store:
        store.add(run(0))
        worse = scenario("VIOLATED", kubernetes="v1.37.0")
        store.add(run(1, "VIOLATED", scenarios=[worse]))
    ids = [run(0).run_id, run(1).run_id]
    assert cli.run(["runs", "diff", *ids]) == statuses.EXIT_VIOLATED
    shown = capsys.readouterr().out
    assert "v1.37.0" in shown
    assert "no outage longer than 2 s" in shown
    assert "profile" not in shown  # it is the same in both
    assert cli.run(["runs", "diff", *reversed(ids), "--json"]) == statuses.EXIT_HELD
    told = {each["what"]: each for each in json.loads(capsys.readouterr().out)}
    assert told["kubernetes"]["before"] == "v1.37.0"
    assert cli.run(["runs", "diff", ids[0], ids[0]]) == statuses.EXIT_HELD
    assert "nothing is different" in capsys.readouterr().out


def test_diff_names_what_one_run_lacks(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(path) as store:
        store.add(run(0, scenarios=[scenario(), scenario(nodeid="gone")]))
        store.add(run(1, scenarios=[scenario(verdicts=[verdict(), verdict(title="new one")])]))
    cli.run(["runs", "diff", run(0).run_id, run(1).run_id, "--json"])
    told = [(c["scenario"], c["what"], c["after"]) for c in json.loads(capsys.readouterr().out)]
    assert ("gone", "", "absent") in told
    assert any(what == "new one" for _, what, _ in told)


def test_prune_needs_a_limit_and_removes_beyond_it(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["runs", "prune"]) == statuses.EXIT_USAGE
    assert cli.run(["runs", "prune", "--keep-last", "5", "--dry-run"]) == statuses.EXIT_HELD
    assert "15 runs would be removed" in capsys.readouterr().out
    assert cli.run(["runs", "prune", "--keep-last", "5", "--older-than", "10d"]) == 0
    with Store(kept) as store:
        assert store.ids() == [f"r{number:02}" for number in range(19, 10, -1)]


def stored_session(folder: Path, run_id: str) -> Path:
    listed = [SessionScenario(slug="s", nodeid="a::b", outcome="NOT_RUN", reason="no netem")]
    session = Session(
        run_id=run_id, seed=1, started_wall_ns=clock.wall_ns() - 9 * DAY_NS, scenarios=listed
    )
    write_session(session, folder)
    return folder


def test_prune_removes_records_only_where_they_are_that_runs(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [stored_session(tmp_path / name, name) for name in ("mine", "other")]
    assert cli.run(["runs", "add", *map(str, folders)]) == statuses.EXIT_HELD
    stored_session(folders[1], "somebody-else")
    assert cli.run(["runs", "prune", "--older-than", "1d", "--records"]) == statuses.EXIT_HELD
    assert not folders[0].exists()
    assert folders[1].exists()
    assert "is not the folder of other any more" in capsys.readouterr().out


def test_add_keeps_what_can_be_read_and_names_the_rest(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = stored_session(tmp_path / "good", "good"), tmp_path / "bad"
    bad.mkdir()
    assert cli.run(["runs", "add", str(bad), str(good)]) == statuses.EXIT_UNKNOWN
    said = capsys.readouterr()
    assert "holds neither a session nor a record" in said.err
    with Store(path) as store:
        assert store.ids() == ["good"]


def test_reading_makes_no_store(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["runs", "ls"], ["runs", "show", "latest"], ["report", "--since", "30d"]):
        assert cli.run(command) == statuses.EXIT_USAGE
        assert "there is no store of runs" in capsys.readouterr().err
    assert not path.exists()


def test_a_damaged_store_is_the_surroundings(path: Path) -> None:
    path.write_bytes(b"nothing of the kind" * 100)
    assert cli.run(["runs", "ls"]) == statuses.EXIT_ENVIRONMENT


def test_the_trend_has_a_status_and_three_files(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "public"
    command = ["report", "--since", "30d", "--into", str(into)]
    assert cli.run(command) == statuses.EXIT_VIOLATED
    assert "5 of 5 runs, 0 of 15 before" in capsys.readouterr().out
    assert {path.name for path in into.iterdir()} == {"trend.html", "trend.md", "trend.json"}
    assert cli.run(["report", "--since", "4d"]) == statuses.EXIT_UNKNOWN
    assert cli.run(["report", "--since", "30d", "--scenario", "no such"]) == statuses.EXIT_UNKNOWN
    capsys.readouterr()
    cli.run(["report", "--since", "30d", "--form", "json"])
    assert json.loads(capsys.readouterr().out)["state"] == "worse"


@pytest.mark.parametrize(
    "command", [["report"], ["report", "--since", "soon"], ["runs", "ls", "--since", "0d"]]
)
def test_what_makes_no_sense_is_wrong_usage(kept: Path, command: list[str]) -> None:
    assert cli.run(command) == statuses.EXIT_USAGE


@pytest.mark.parametrize(
    "option", [["--scenario", "nic_down"], ["--form", "json"], ["--store", "runs.sqlite"]]
)
def test_what_only_a_trend_heeds_is_not_taken_with_a_folder(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", str(tmp_path), *option]) == statuses.EXIT_USAGE
    assert f"{option[0]}: has no part in it without --since" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--only", "html"], ["--exit-status"]])
def test_what_only_a_folder_heeds_is_not_taken_with_a_trend(
    kept: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", "--since", "30d", *option]) == statuses.EXIT_USAGE
    assert f"{option[0]}: has no part in it with --since" in capsys.readouterr().err


def test_a_folder_and_since_exclude_each_other(kept: Path, tmp_path: Path) -> None:
    assert cli.run(["report", str(tmp_path), "--since", "30d"]) == statuses.EXIT_USAGE
