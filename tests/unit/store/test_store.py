"""The store of runs: what goes in comes out, from several processes, and no refusal loses any."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from chaoskit.errors import StoreError, UsageError
from chaoskit.store.database import Database
from chaoskit.store.kept import KeptRun, Measures
from chaoskit.store.migrations import MIGRATIONS
from chaoskit.store.store import Store
from tests.unit.store.kept_runs import run, scenario, verdict

WRITERS, RUNS_EACH = 4, 12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runs.sqlite"


def test_what_is_added_comes_out_alike(path: Path) -> None:
    kept = run(
        outcome="VIOLATED",
        scenarios=[
            scenario("VIOLATED", verdicts=[verdict(), verdict("VIOLATED", "latency")]),
            scenario("NOT_RUN", nodeid="b", measures=Measures(), verdicts=[], reason="no netem"),
        ],
    )
    with Store(path) as store:
        store.add(kept)
    with Store(path) as store:
        assert store.runs() == [kept]
        assert store.find(kept.run_id) == kept
        (line,) = store.lines()
    assert line.counts == {"VIOLATED": 1, "NOT_RUN": 1}
    assert line.started == "2026-01-01 00:00:00"


def test_a_run_added_again_replaces_itself_and_nothing_else(path: Path) -> None:
    with Store(path) as store:
        for number in range(3):
            store.add(run(number))
        store.add(run(1, "VIOLATED"))
        assert [each.outcome for each in store.runs()] == ["HELD", "VIOLATED", "HELD"]
    rows = sqlite3.connect(path).execute("SELECT count(*) FROM verdicts").fetchone()
    assert rows == (3,)


def test_runs_are_found_by_the_beginning_of_their_id(path: Path) -> None:
    with Store(path) as store:
        for number in range(3):
            store.add(run(number))
        assert store.find("20260102").run_id == run(1).run_id
        assert store.find("latest").run_id == run(2).run_id
        with pytest.raises(UsageError, match="more than one run begins so"):
            store.find("2026")
        with pytest.raises(UsageError, match="no such run is kept"):
            store.find("2025")


def test_since_and_last_choose_runs(path: Path) -> None:
    with Store(path) as store:
        for number in range(4):
            store.add(run(number))
        assert len(store.runs(since_wall_ns=run(2).started_wall_ns)) == 2
        assert [line.run_id for line in store.lines(at_most=1)] == [run(3).run_id]


def test_removed_runs_leave_nothing_behind(path: Path) -> None:
    with Store(path) as store:
        for number in range(3):
            store.add(run(number))
        assert store.remove(store.lines()[1:]) == 2
        assert [each.run_id for each in store.runs()] == [run(2).run_id]
    tables = sqlite3.connect(path)
    counts = [
        tables.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in ("runs", "scenarios", "verdicts")
    ]
    assert counts == [1, 1, 1]


def test_a_store_that_was_pruned_is_smaller(path: Path) -> None:
    with Store(path) as store:
        for number in range(40):
            store.add(run(number, run_id=f"run-{number}", command="x" * 8000))
        before = path.stat().st_size
        store.remove(store.lines(at_most=35))
    assert path.stat().st_size < before / 3


def _write(path: Path, writer: int, ready: "multiprocessing.synchronize.Barrier") -> None:
    ready.wait(30)
    for number in range(RUNS_EACH):
        with Store(path) as store:
            store.add(run(number, run_id=f"writer-{writer}-{number}"))


def test_several_processes_add_at_once_and_nothing_is_lost(path: Path) -> None:
    """The file is not there yet: they also race to make its tables."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(WRITERS)
    writers = [context.Process(target=_write, args=(path, n, ready)) for n in range(WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0] * WRITERS
    with Store(path) as store:
        assert len(store.ids()) == WRITERS * RUNS_EACH
        assert len(set(store.ids())) == WRITERS * RUNS_EACH


def test_a_store_that_stays_locked_is_an_error_in_time(path: Path) -> None:
    with Store(path) as store:
        store.add(run(0))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is locked by another process") as caught:
        Store(path, timeout_s=0.2)
    assert caught.value.spent_s is not None
    assert 0.1 < caught.value.spent_s < 5
    other.execute("ROLLBACK")
    with Store(path) as store:
        assert store.runs() == [run(0)]


def test_a_writer_waits_for_another_one(path: Path) -> None:
    with Store(path) as store:
        store.add(run(0))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        impatient = Database(path, timeout_s=0.2)
        with pytest.raises(StoreError, match="is locked"), impatient.writing():
            pytest.fail("two wrote at once")
        other.execute("COMMIT")
        with impatient.writing():
            pass
        impatient.close()


def _of_version_1(path: Path) -> KeptRun:
    """A store as the first version wrote it, with a run in it."""
    kept = run(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Database(path, migrations=MIGRATIONS[:1]).close()
    old = sqlite3.connect(path)
    old.execute(
        "INSERT INTO runs VALUES (1, ?, ?, 30.25, 'HELD', 1, 77, 'pytest scenarios', '0.1.0',"
        " '/records/0', '/records/0/report.html', '{\"nodes\": \"1+2\"}', '{}')",
        (kept.run_id, kept.started_wall_ns),
    )
    old.execute(
        "INSERT INTO scenarios VALUES (1, 1, 's', 'n', 't', '[]', 'HELD', '', 1.0, '', 'v1.36.3',"
        " '1+2', 'fast', 'image')"
    )
    old.commit()
    old.close()
    return kept


def test_an_older_store_is_brought_up_to_date_with_what_it_holds(path: Path) -> None:
    kept = _of_version_1(path)
    with Store(path) as store:
        (found,) = store.runs()
        store.add(run(1))
        assert len(store.ids()) == 2
    assert found.run_id == kept.run_id
    assert found.scenarios[0].kubernetes == "v1.36.3"
    assert found.scenarios[0].measures == Measures()
    assert found.scenarios[0].machine == ""


def test_a_step_that_fails_leaves_the_old_store_as_it_was(path: Path) -> None:
    _of_version_1(path)
    before = path.read_bytes()
    broken = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN more TEXT", "ALTER TABLE nothing"))
    with pytest.raises(StoreError, match="SQLite refused"):
        Database(path, migrations=broken)
    assert path.read_bytes() == before


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    with Store(path) as store:
        store.add(run(0))
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="has version 3, this chaoskit reads 2"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content, said",
    [(b"no database at all " * 40, "is damaged, or no database"), (None, "no store")],
)
def test_a_file_of_somebody_else_is_left_alone(
    path: Path, content: bytes | None, said: str
) -> None:
    path.parent.mkdir()
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (a)")
        other.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=said):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", [Path("/dev/null"), Path("/dev")], ids=["device", "folder"])
def test_what_is_no_file_is_said_at_once(place: Path) -> None:
    with pytest.raises(StoreError, match="is no file"):
        Store(place)


def test_a_path_below_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "runs.sqlite")
