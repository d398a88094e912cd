"""`chaoskit check` and `chaoskit report`: from the files alone, with an exit status that tells."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chaoskit.cli import check, report
from chaoskit.errors import RecordError
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import Judgement, judge
from chaoskit.guarantees.requests.availability import NoRequestLost
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.folder import GuaranteeSpec, RecordFolder
from chaoskit.history.reader import History
from chaoskit.report.json import schema_text
from tests.unit.report.scenes import (
    nic_down_events,
    nic_down_requests,
    rollout_events,
    rollout_requests,
)
from tests.unit.report.synthetic import (
    run_info,
    verdict,
    write_record,
)

ALL_OK: Guarantee = NoRequestLost()
TOO_FEW: Guarantee = NoRequestLost(minimum_requests=10**6)


def run(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(
        command,  # type: ignore[arg-type]  # a module's click command
        [str(argument) for argument in arguments],
        standalone_mode=False,
    )


def held(folder: Path, *guarantees: Guarantee) -> RecordFolder:
    return write_record(
        folder,
        run_info("held"),
        events=rollout_events(),
        requests=rollout_requests(),
        guarantees=guarantees,
    )


def violated(folder: Path) -> RecordFolder:
    return write_record(
        folder,
        run_info("violated"),
        events=nic_down_events(),
        requests=nic_down_requests(),
        guarantees=[ALL_OK],
    )


def test_all_held_is_status_0(tmp_path: Path) -> None:
    held(tmp_path / "one", ALL_OK)
    result = run(check.command, tmp_path)
    assert result.exception is None
    assert result.return_value == 0
    assert result.stdout.splitlines()[-1] == "HELD"


def test_one_violated_is_status_1_also_beside_an_unknown(tmp_path: Path) -> None:
    held(tmp_path / "few", TOO_FEW)
    violated(tmp_path / "cut")
    result = run(check.command, tmp_path)
    assert result.return_value == 1
    assert {line.split()[0] for line in result.stdout.splitlines()} >= {"VIOLATED", "UNKNOWN"}


@pytest.mark.parametrize("guarantees", [[TOO_FEW], [ALL_OK, TOO_FEW], []])
def test_what_cannot_be_told_is_status_3(tmp_path: Path, guarantees: list[Guarantee]) -> None:
    held(tmp_path / "one", *guarantees)
    assert run(check.command, tmp_path / "one").return_value == 3


def test_the_files_alone_give_the_verdicts_of_the_run(tmp_path: Path) -> None:
    record = violated(tmp_path / "cut")
    at_first = judge(History.open(record.path), [ALL_OK])
    assert check.check_record(record).verdicts == tuple(at_first)


def test_an_unknown_guarantee_does_not_hide_the_others(tmp_path: Path) -> None:
    record = violated(tmp_path / "cut")
    record.write_guarantees([GuaranteeSpec(name="theirs", version=3), *record.guarantees()])
    checked = check.check_record(record)
    assert [v.outcome for v in checked.verdicts] == [Outcome.UNKNOWN, Outcome.VIOLATED]
    assert "is not known here" in checked.verdicts[0].summary


def test_a_missing_list_of_guarantees_is_unknown_with_its_reason(tmp_path: Path) -> None:
    held(tmp_path / "one", ALL_OK)
    (tmp_path / "one" / "guarantees.json").unlink()
    result = run(check.command, tmp_path)
    assert result.return_value == 3
    assert "is missing" in result.stdout


def test_a_damaged_record_is_not_held(tmp_path: Path) -> None:
    record = held(tmp_path / "one", ALL_OK)
    (path,) = record.requests_files()
    path.write_bytes(path.read_bytes()[:-200])
    assert run(check.command, tmp_path).return_value == 3


def test_another_verdict_than_the_stored_one_is_said_and_stored_on_demand(tmp_path: Path) -> None:
    record = violated(tmp_path / "cut")
    stored = [verdict("HELD", "a", "b")]
    record.write_verdicts(
        Judgement(outcome=Outcome.HELD, verdicts=stored, chaoskit_version="0.0.1")
    )
    assert "cut: was HELD, is now VIOLATED" in run(check.command, tmp_path).stdout
    assert record.verdicts(Judgement).outcome is Outcome.HELD
    run(check.command, tmp_path, "--write")
    assert record.verdicts(Judgement).outcome is Outcome.VIOLATED


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    assert isinstance(run(check.command, tmp_path).exception, RecordError)


def test_reports_are_made_again_and_named(run_folder: Path) -> None:
    result = run(report.command, run_folder, "--only", "json", "--only", "html")
    assert result.stdout.split() == [
        str(run_folder / "report.html"),
        str(run_folder / "report.json"),
    ]
    assert (run_folder / "report.html").exists()
    assert not (run_folder / "junit.xml").exists()


def test_the_schema_is_printed_without_a_run() -> None:
    assert run(report.command, "--schema").stdout == schema_text()
