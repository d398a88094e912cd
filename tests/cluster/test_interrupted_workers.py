"""The process that started workers is told to end, or is killed; one of them has a fault open."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.waiting import wait_until
from tests.cluster.clusters import things

pytestmark = pytest.mark.long  # each starts a cluster of its own

SCENARIOS = '''
"""Two scenarios that never end."""
import threading
from pathlib import Path

from chaoskit.faults import NicDown


def test_with_a_fault(cluster, chaos):
    """Goal: to be ended. Method: a fault. Expectation: none."""
    with chaos.inject(NicDown(cluster.agents[0].name), allow=("shared_cluster",)):
        Path(__file__).with_name("down").touch()
        threading.Event().wait()


def test_beside_it(cluster, chaos):
    """Goal: to be ended. Method: none. Expectation: none."""
    threading.Event().wait()
'''


@pytest.fixture
def workers(tmp_path: Path, state: Path) -> Iterator["subprocess.Popen[str]"]:
    """pytest with two workers, one of which has a node's NIC down."""
    (tmp_path / "test_endless.py").write_text(SCENARIOS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    argv = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:locust", "--chaos-nodes", "1+1"]
    process = subprocess.Popen(
        [*argv, "--chaos-store", "none"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until((tmp_path / "down").exists, what="the fault to be in effect", timeout_s=150)
        yield process
    finally:
        process.kill()
        process.communicate()


def cluster_of(folder: Path) -> str:
    (shared,) = folder.glob("reports/*/shared/0/cluster.json")
    return str(json.loads(shared.read_bytes())["name"])


def test_told_to_end_it_ends_its_workers_heals_reports_and_leaves_nothing(
    workers: "subprocess.Popen[str]", provider: K3sProvider, tmp_path: Path
) -> None:
    cluster = cluster_of(tmp_path)
    assert things(provider, cluster) != []
    workers.send_signal(signal.SIGTERM)
    said, _ = workers.communicate(timeout=120)
    assert workers.returncode == 128 + signal.SIGTERM, said
    assert "told to end (SIGTERM)" in said
    assert things(provider, cluster) == [], said
    assert Ledger().read().entries == ()
    assert list(tmp_path.glob("reports/*/report.html")), said


def test_killed_its_guardians_heal_and_leave_nothing(
    workers: "subprocess.Popen[str]", provider: K3sProvider, tmp_path: Path
) -> None:
    cluster = cluster_of(tmp_path)
    assert things(provider, cluster) != []
    workers.kill()
    wait_until(
        lambda: not things(provider, cluster),
        what=f"nothing to be left of {cluster}",
        timeout_s=60,
        seen=lambda: things(provider, cluster),
    )
    wait_until(
        lambda: not Ledger().read().entries,
        what="the fault to be settled",
        timeout_s=60,
        seen=lambda: Ledger().read().entries,
    )
