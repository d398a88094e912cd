"""A store of runs whose disk is full: said clearly, and what was kept stays. Mounts; no cluster."""

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskit.errors import StoreError
from chaoskit.store.store import Store
from tests.unit.store.kept_runs import run

_RUNS_AT_MOST = 200


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 192 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> tuple[int, StoreError | None]:
    """Add runs until the store refuses one: how many it took, and what it said."""
    for number in range(_RUNS_AT_MOST):
        try:
            with Store(path) as store:
                store.add(run(0, run_id=f"run-{number}", command="x" * 2000))
        except StoreError as error:
            return number, error
    return _RUNS_AT_MOST, None


def test_a_full_disk_is_said_and_loses_nothing(tiny_disk: Path) -> None:
    path = tiny_disk / "runs.sqlite"
    added, error = fill(path)
    assert 3 < added < _RUNS_AT_MOST
    assert "there is no space left on its disk" in str(error)
    assert "chaoskit runs prune" in str(error)
    checked = sqlite3.connect(path)
    assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    checked.close()
    with Store(path) as store:
        assert len(store.ids()) == added


def test_a_disk_too_small_for_the_tables_is_said(tiny_disk: Path) -> None:
    (tiny_disk / "filler").write_bytes(bytes(180 * 1024))
    with pytest.raises(StoreError, match="no space left on its disk"):
        Store(tiny_disk / "runs.sqlite")
