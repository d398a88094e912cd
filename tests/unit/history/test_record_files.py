"""Record files: what is written is read, and damage is found, marked and never fatal."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from chaoskit import clock
from chaoskit.errors import RecordError, UsageError
from chaoskit.history import SCHEMA_VERSION
from chaoskit.history.events import Note
from chaoskit.history.folder import GuaranteeSpec, RecordFolder, RunInfo
from chaoskit.history.frames import read_frames
from chaoskit.history.reader import History
from chaoskit.history.requests import REQUESTS
from chaoskit.history.writer import EventWriter, RequestWriter
from chaoskit.waiting import wait_until
from tests.corpus.requests import steady


def note(time_ns: int, text: str = "x") -> Note:
    return Note(time_ns=time_ns, source="test", level="info", text=text)


def new_record(path: Path) -> RecordFolder:
    info = RunInfo(
        run_id="r1",
        scenario="scenarios/test_x.py::test_y",
        title="t",
        started_wall_ns=1,
        started_ns=1,
        boot_id="b",
        chaoskit_version="0",
    )
    return RecordFolder.create(path, info)


def test_events_of_several_writers_are_read_by_time(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    with (
        EventWriter(record.new_events_file("a")) as a,
        EventWriter(record.new_events_file("b")) as b,
    ):
        a.append(note(3, "three"))
        b.append(note(2, "two"))
        a.append(note(1, "one"))
    history = History.open(tmp_path)
    assert [event.text for event in history.of(Note)] == ["one", "two", "three"]
    assert history.damage == []
    assert history.info is not None
    assert history.info.run_id == "r1"


def test_events_of_many_threads_are_all_there(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    with EventWriter(record.new_events_file("a"), seal_interval_s=0.001) as writer:

        def append_many() -> None:
            for number in range(500):
                writer.append(note(number))

        threads = [threading.Thread(target=append_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(History.open(tmp_path).of(Note)) == 2000


def test_idle_writer_seals_its_last_event_within_a_second(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    with EventWriter(record.new_events_file("a")) as writer:
        writer.append(note(1))
        wait_until(lambda: History.open(tmp_path).of(Note), what="the event on file", timeout_s=1.0)


def test_requests_of_two_files_are_one_table_by_planned_time(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    rows = steady(seconds=2)
    with RequestWriter(record.new_requests_file("even")) as writer:
        for row in rows[::2]:
            writer.append(row._replace(stream="even"))
    with RequestWriter(record.new_requests_file("odd")) as writer:
        for number, row in enumerate(rows[1::2]):
            if number == 40:
                writer.seal()
            writer.append(row._replace(stream="odd", error="late"))
    history = History.open(tmp_path)
    table = history.requests
    assert table.schema.equals(REQUESTS)
    assert table["planned_ns"].to_pylist() == [row.planned_ns for row in rows]
    assert table["stream"].to_pylist() == ["even", "odd"] * 100
    assert table["error"].to_pylist() == [None, "late"] * 100
    assert all(table[name].num_chunks == 1 for name in REQUESTS.names)
    assert history.columns("slot")["slot"].to_pylist() == table["slot"].to_pylist()


def test_columns_asked_for_later_keep_the_order(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    rows = steady(seconds=1)
    with RequestWriter(record.new_requests_file("a")) as writer:
        for row in reversed(rows):
            writer.append(row)
    history = History.open(tmp_path)
    assert history.columns("slot")["slot"].to_pylist() == list(range(100))
    assert history.columns("planned_ns")["planned_ns"][0].as_py() == rows[0].planned_ns


def test_torn_tail_is_dropped_and_marked(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    path = record.new_events_file("a")
    with EventWriter(path) as writer:
        writer.append(note(1, "first"))
        writer.seal()
        writer.append(note(2, "second"))
    frames = read_frames(path).frames
    path.write_bytes(path.read_bytes()[: -frames[-2].length // 2 - 40])
    history = History.open(tmp_path)
    assert [event.text for event in history.of(Note)] == ["first"]
    (damage,) = history.damage
    assert (damage.kind, damage.until_ns) == ("torn", None)


def test_frame_with_wrong_checksum_is_lost_with_its_span(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    path = record.new_events_file("a")
    start_ns = clock.now_ns()
    with EventWriter(path, seal_interval_s=60) as writer:
        for number in range(3):
            writer.append(note(start_ns + number, f"note {number}"))
            writer.seal()
    data = bytearray(path.read_bytes())
    data[read_frames(path).frames[1].start + 5] ^= 0xFF
    path.write_bytes(data)
    history = History.open(tmp_path)
    assert [event.text for event in history.of(Note)] == ["note 0", "note 2"]
    (damage,) = history.damage
    assert damage.kind == "lost"
    assert damage.since_ns == start_ns + 1
    assert damage.until_ns is not None
    assert damage.overlaps(start_ns, start_ns + 1)
    assert not damage.overlaps(0, start_ns)


def test_unreadable_frame_header_loses_only_that_frame(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    path = record.new_events_file("a")
    with EventWriter(path, seal_interval_s=60) as writer:
        for number in range(3):
            writer.append(note(number + 1, f"note {number}"))
            writer.seal()
    data = bytearray(path.read_bytes())
    data[read_frames(path).frames[1].start - 20] ^= 0xFF
    path.write_bytes(data)
    history = History.open(tmp_path)
    assert [event.text for event in history.of(Note)] == ["note 0", "note 2"]
    assert [damage.kind for damage in history.damage] == ["lost"]


@pytest.mark.parametrize("cut", range(1, 80, 7))
def test_file_cut_anywhere_is_never_fatal(tmp_path: Path, cut: int) -> None:
    record = new_record(tmp_path)
    path = record.new_events_file("a")
    with EventWriter(path, seal_interval_s=60) as writer:
        writer.append(note(1))
    path.write_bytes(path.read_bytes()[:-cut])
    history = History.open(tmp_path)
    assert len(history.of(Note)) in (0, 1)
    assert history.damage or cut == 0 or len(history.of(Note)) == 1


@contextmanager
def no_room_after(path: Path) -> Iterator[None]:
    """A context in which that file cannot grow, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_events_that_could_not_be_written_leave_their_file_unfinished(tmp_path: Path) -> None:
    """There is room again afterwards: what came later must not make the file look whole."""
    path = new_record(tmp_path).new_events_file("a")
    writer = EventWriter(path, seal_interval_s=60)
    writer.append(note(1))
    writer.seal()
    writer.append(note(2))
    with no_room_after(path), pytest.raises(RecordError, match="could not be written"):
        writer.seal()
    writer.append(note(3))
    with pytest.raises(RecordError, match="could not be written"):
        writer.close()
    contents = read_frames(path)
    assert not contents.closed
    assert len(contents.frames) == 1


def test_requests_that_could_not_be_written_leave_their_file_unfinished(tmp_path: Path) -> None:
    path = new_record(tmp_path).new_requests_file("a")
    first, second, third = steady(seconds=0.03)
    writer = RequestWriter(path, seal_interval_s=60)
    writer.append(first)
    writer.seal()
    writer.append(second)
    with no_room_after(path), pytest.raises(RecordError, match="could not be written"):
        writer.seal()
    writer.append(third)
    with pytest.raises(RecordError, match="could not be written"):
        writer.close()
    contents = read_frames(path)
    assert not contents.closed
    assert len(contents.frames) == 1


_ENDLESS_WRITER = """
import itertools, sys
from pathlib import Path
from chaoskit import clock
from chaoskit.history.events import Note
from chaoskit.history.writer import EventWriter, RequestWriter
from tests.corpus.requests import steady
events = EventWriter(Path(sys.argv[1]))
requests = RequestWriter(Path(sys.argv[2]))
row = steady(seconds=0.01)[0]
for number in itertools.count():
    now = clock.now_ns()
    events.append(Note(time_ns=now, source="w", level="info", text=str(number)))
    requests.append(row._replace(planned_ns=now, sent_ns=now, end_ns=now, slot=number))
    if number == 0:  # the first sealing loads libraries, which may take long
        events.seal()
        requests.seal()
    elif number % 100 == 0:
        print(now, flush=True)
    clock_until = now + 500_000
    while clock.now_ns() < clock_until:
        pass
"""


def test_killed_writer_loses_at_most_a_second(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _ENDLESS_WRITER,
            str(record.new_events_file("w")),
            str(record.new_requests_file("w")),
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    )
    assert child.stdout is not None
    first = int(child.stdout.readline())
    last = first
    while last - first < 1_800_000_000:
        last = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    child.wait(timeout=10)
    child.stdout.close()
    history = History.open(tmp_path)
    assert history.of(Note)[-1].time_ns >= last - 1_000_000_000
    assert history.requests["planned_ns"][-1].as_py() >= last - 1_000_000_000
    slots = history.requests["slot"].to_pylist()
    assert slots == list(range(len(slots)))


def test_writer_that_died_while_another_went_on_is_marked(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    dead = EventWriter(record.new_events_file("dead"), seal_interval_s=3600)
    dead.append(note(clock.now_ns()))
    dead.seal()
    sealed_ns = read_frames(record.events_files()[0]).sealed_ns
    with EventWriter(record.new_events_file("living"), seal_interval_s=0.1):
        started_ns = clock.now_ns()
        wait_until(
            lambda: clock.now_ns() - started_ns > 2_600_000_000,
            what="the dead writer's silence",
            timeout_s=5,
        )
    (damage,) = History.open(tmp_path).damage
    assert (damage.kind, damage.file) == ("died", "events-dead.ckl")
    assert damage.since_ns == sealed_ns
    dead.close()
    assert History.open(tmp_path).damage == []


def test_other_schema_version_is_refused(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    path = record.new_events_file("a")
    EventWriter(path).close()
    data = bytearray(path.read_bytes())
    data[16] += 1
    path.write_bytes(data)
    with pytest.raises(RecordError, match="schema version"):
        History.open(tmp_path).events  # noqa: B018 - reading is lazy
    run = tmp_path / "run.json"
    ours, other = (f'"schema_version": {version}' for version in (SCHEMA_VERSION, 99))
    run.write_text(run.read_text().replace(ours, other))
    with pytest.raises(RecordError, match="schema version 99"):
        History.open(tmp_path)


def test_missing_and_malformed_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="missing"):
        History.open(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RecordError, match="malformed"):
        History.open(tmp_path)
    (tmp_path / "run.json").write_text(f'{{"schema_version": {SCHEMA_VERSION}}}')
    with pytest.raises(RecordError, match="malformed"):
        History.open(tmp_path)


def test_something_else_than_a_record_file_is_refused(tmp_path: Path) -> None:
    new_record(tmp_path)
    (tmp_path / "events-x.ckl").write_bytes(b"something else entirely")
    with pytest.raises(RecordError, match="not a record file"):
        History.open(tmp_path).events  # noqa: B018 - reading is lazy


def test_records_are_never_overwritten(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    with pytest.raises(RecordError, match="already holds"):
        new_record(tmp_path)
    path = record.new_events_file("a")
    EventWriter(path).close()
    assert record.new_events_file("a") != path
    with pytest.raises(RecordError, match="already exists"):
        EventWriter(path)
    with pytest.raises(UsageError):
        record.new_events_file("a/b")


def test_guarantees_are_kept(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    specs = [GuaranteeSpec(name="x", version=1, parameters={"a": 1})]
    record.write_guarantees(specs)
    assert record.guarantees() == specs


def test_closed_writer_refuses_more(tmp_path: Path) -> None:
    writer = EventWriter(new_record(tmp_path).new_events_file("a"))
    writer.close()
    writer.close()
    with pytest.raises(RecordError, match="closed"):
        writer.append(note(1))


def test_requests_of_another_shape_are_refused() -> None:
    with pytest.raises(RecordError, match="other columns"):
        History.of_parts(requests=pa.table({"planned_ns": [1]}))


def test_impossible_requests_are_refused() -> None:
    row = steady(seconds=0.01)[0]
    with pytest.raises(RecordError, match="impossible outcomes"):
        History.of_parts(requests=[row._replace(outcome="perhaps")]).columns("outcome")
    with pytest.raises(RecordError, match="ended before"):
        History.of_parts(requests=[row._replace(end_ns=1)]).columns("sent_ns", "end_ns")
    assert History.of_parts().requests.num_rows == 0
