"""Arrivals to replay are taken from a record or from a file of seconds."""

from pathlib import Path

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.requests import RequestRow
from chaoskit.history.writer import RequestWriter
from chaoskit.load.replay import replay_of_file, replay_of_record


def _row(load: str, planned_ns: int) -> RequestRow:
    return RequestRow(load, "s", "new", "e", 0, "read", planned_ns, None, None, None, "unsent")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    info = RunInfo(
        run_id="r", scenario="s", title="t", started_wall_ns=0, started_ns=0, boot_id="b",
        chaoskit_version="0",
    )  # fmt: skip
    folder = RecordFolder.create(tmp_path / "record", info)
    for load, times_ns in {
        "load-1": [1_000, 1_500, 1_200],
        "load-2.1of2": [100, 300],
        "load-2.2of2": [200],
        "load-22": [5],
    }.items():
        with RequestWriter(folder.new_requests_file(load)) as requests:
            for time_ns in times_ns:
                requests.append(_row(load, time_ns))
    return folder.path


def test_a_load_on_record_begins_with_its_first_slot(record: Path) -> None:
    assert replay_of_record(record, "load-1").offsets_ns == (0, 200, 500)


def test_all_parts_of_a_load_are_one(record: Path) -> None:
    assert replay_of_record(record, "load-2").offsets_ns == (0, 100, 200)


def test_a_load_that_is_not_there_is_refused_with_those_that_are(record: Path) -> None:
    with pytest.raises(UsageError, match=r"asked for load-3, there are: load-1, load-2\.1of2"):
        replay_of_record(record, "load-3")


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        replay_of_record(tmp_path, "load-1")


def test_a_file_of_seconds_begins_with_its_first_number(tmp_path: Path) -> None:
    file = tmp_path / "arrivals"
    file.write_text("1795231075.000000001\n1795231075.5\n\n1795231077\n")
    assert replay_of_file(file).offsets_ns == (0, 499_999_999, 1_999_999_999)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "holds no number"),
        ("1\ntwo\n", "line 2 of .*is no number of seconds"),
        ("1\nnan\n", "line 2 of .*is no number of seconds"),
        ("1\ninfinity\n", "line 2 of .*is no number of seconds"),
        ("2\n1\n", "arrival 1 of a replay"),
    ],
)
def test_other_files_are_refused(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "arrivals"
    file.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        replay_of_file(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read as a list of seconds"):
        replay_of_file(tmp_path / "none")
