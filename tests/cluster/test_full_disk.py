"""A disk that fills in mid-run: said clearly, and the cluster goes all the same."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import leftovers
from chaoskit.history.reader import History

pytestmark = pytest.mark.long  # it starts a cluster of its own

_SCENARIO = "scenarios/stateful_sets/test_random_deletes.py"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB: enough to begin with, too little for the record of a run."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_run_in_good_order(small_disk: Path, provider: K3sProvider) -> None:
    before = {one.cluster for one in leftovers.found(provider.client)}
    command = [sys.executable, "-m", "pytest", _SCENARIO, f"--chaos-report-dir={small_disk}/r"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1, said
    assert "INTERNALERROR" not in said
    assert "No space left on device" in said
    assert "free disk space" in said
    assert {one.cluster for one in leftovers.found(provider.client)} == before
    (record,) = small_disk.glob("r/*/*/run.json")
    history = History.open(record.parent)
    # Writers seal at least once a second, so all but the end is there to be read.
    assert len(history.events) > 100
    assert history.requests.num_rows > 100
