"""Workers that have a cluster each for what needs one alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaoskit.cluster.k3s_provider import K3sProvider
from tests.cluster.clusters import things

pytestmark = pytest.mark.long  # it starts clusters of its own

# Each waits for the other to be there: on one cluster they would wait in vain.
SCENARIOS = '''
"""Two scenarios that need a cluster alone, each while the other runs, and two that share one."""
from pathlib import Path

import pytest

from chaoskit.waiting import wait_until

HERE = Path(__file__).parent


def meet(cluster, kind, own, other):
    (HERE / f"{kind}-{own}").write_text(cluster.name)
    wait_until((HERE / f"{kind}-{other}").exists, what="the other one", timeout_s=150)


of_two = pytest.mark.parametrize(
    ("own", "other"),
    [
        pytest.param("a", "b", marks=pytest.mark.xdist_group("a")),
        pytest.param("b", "a", marks=pytest.mark.xdist_group("b")),
    ],
)


@of_two
def test_sharing(cluster, own, other):
    meet(cluster, "sharing", own, other)


@pytest.mark.alone
@of_two
def test_alone(cluster, own, other):
    meet(cluster, "alone", own, other)
'''


def test_two_that_need_one_alone_run_at_a_time_on_two_clusters_and_nothing_is_left(
    tmp_path: Path, state: Path, provider: K3sProvider
) -> None:
    (tmp_path / "test_meeting.py").write_text(SCENARIOS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    argv = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-p", "no:locust"]
    asked = ["--chaos-nodes", "1+0", "--chaos-clusters", "2", "--chaos-store", "none"]

    ended = subprocess.run(
        [*argv, *asked], cwd=tmp_path, text=True, capture_output=True, timeout=400, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    shared = {path.read_text() for path in tmp_path.glob("sharing-*")}
    alone = {path.read_text() for path in tmp_path.glob("alone-*")}
    assert len(shared) == 1
    assert len(alone) == 2
    assert shared < alone
    for name in alone:
        assert things(provider, name) == []
