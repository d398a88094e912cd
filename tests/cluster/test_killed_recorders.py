"""kill -9 of each process that writes the record: what was sealed stays, nothing is concluded."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import leftovers
from chaoskit.errors import LoadError
from chaoskit.guarantees import availability, no_container_restarted, rollout_bounds
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import LoadMark, Watched
from chaoskit.history.reader import History
from chaoskit.run import NotHeld
from chaoskit.waiting import wait_until
from tests.cluster.planting import Planting

pytestmark = pytest.mark.long

#: The module that each recorder's command line names.
_MODULES = {
    "driver": "chaoskit.load.child",
    "sampler": "chaoskit.load.sampler",
    "observer": "chaoskit.kube.observing",
}


def recorders(module: str, of: int | None = None) -> list[psutil.Process]:
    """The processes of that module below this one (or another) process."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        try:
            if module in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
    return found


@pytest.mark.parametrize("victim", _MODULES)
def test_a_killed_recorder_leaves_what_it_sealed(planting: Planting, victim: str) -> None:
    web = planting.web(replicas=1)
    load = planting.load(web.service)
    load.run_for(seconds=3)
    # The session's own driver waits warm beside it; the one at work was given the record last.
    killed = max(recorders(_MODULES[victim]), key=lambda process: process.create_time())
    killed.kill()
    told_at_once = nullcontext() if victim == "observer" else pytest.raises(LoadError)
    with told_at_once:
        load.run_for(seconds=3)
        load.stop()
    with pytest.raises(NotHeld) as raised:
        planting.run.check(
            availability(at_least=0.5), rollout_bounds(web), no_container_restarted(web)
        )
    # Nothing is violated by our own trouble, and nothing is held on half a record.
    outcomes = {each.guarantee: each.outcome for each in raised.value.judgement.verdicts}
    assert Outcome.VIOLATED not in outcomes.values(), outcomes
    blind = "availability" if victim in ("driver", "sampler") else "no_container_restarted"
    assert outcomes[blind] is Outcome.UNKNOWN, outcomes
    history = planting.run.history()
    assert history.requests.num_rows > 150
    assert [event for event in history.of(Watched) if event.kind == "Pod"]
    died = [mark for mark in history.of(LoadMark) if mark.mark == "died"]
    assert died or history.damage, "the reader is told that something ended without closing"


@pytest.fixture
def harness(tmp_path: Path, provider: K3sProvider) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "pytest", "scenarios", "-k", "bad_image", "-q"]
    process = subprocess.Popen(
        [*command, f"--chaos-report-dir={tmp_path}/r"], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()
    leftovers.sweep(provider.client)


def test_a_killed_harness_leaves_a_readable_record(
    harness: "subprocess.Popen[str]", tmp_path: Path, provider: K3sProvider
) -> None:
    pid = harness.pid

    def marks() -> list[str]:
        folders = [path.parent for path in tmp_path.glob("r/*/*/run.json")]
        histories = [History.open(folder) for folder in folders]
        return [mark.mark for history in histories for mark in history.of(LoadMark)]

    wait_until(lambda: "steady" in marks(), what="a steady load", timeout_s=120, interval_s=0.5)
    children = psutil.Process(harness.pid).children(recursive=True)
    os.kill(harness.pid, signal.SIGKILL)
    # Each of its processes sees it gone, seals its part and ends.
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    # Its guardian was one of them: it has removed the cluster.
    left = [one for one in leftovers.found(provider.client) if one.owner and one.owner.pid == pid]
    assert left == []
    (folder,) = (path.parent for path in tmp_path.glob("r/*/*/run.json"))
    history = History.open(folder)
    assert history.requests.num_rows > 0
    assert [mark.mark for mark in history.of(LoadMark)].count("stopped") == 2
    assert [event for event in history.of(Watched) if event.kind == "Pod"]
