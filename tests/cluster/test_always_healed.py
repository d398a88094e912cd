"""A harness that is stopped or killed at any moment leaves nothing broken.

What came of each is written below reports/, from which `benchmarks/always_healed.py` makes a table.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from chaoskit import clock
from chaoskit.cli.statuses import EXIT_ENVIRONMENT
from chaoskit.cluster.fingerprint import fingerprint, left_after
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults.catalogue import parameters_of
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.entry import Entry
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.faults import SAMPLES
from tests.cluster.faults.stage import Stage
from tests.cluster.killable_harness import POINTS

pytestmark = pytest.mark.alone  # faults, and the whole cluster is compared before and after

RESULTS = Path("reports/always-healed.jsonl")
KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
#: What `make test` tries; the rest takes minutes.
QUICK = [("nic_down", signal.SIGKILL, point) for point in ("ledger", "injected", "effect", "heal")]

_UP_WITHIN_S = 60.0
_HEALED_WITHIN_S = 30.0
#: A second is enough; several helps on a busy machine, and more is a heal that nobody hurried.
_HEALED_AT_ONCE_S = 5.0
_CLEAN_WITHIN_S = 120.0
#: Longest time of a fault, so that with the margin the node's timer comes after half a minute.
_AT_MOST_S = 1.0
_TIMER_WITHIN_S = 90.0


#: One fault of each way of injecting: these are ended in every way, at every point.
MECHANISMS = (
    "component_stopped", "config_map_withdrawn", "container_frozen", "latency", "memory_stressed",
    "nic_down", "node_cordoned", "node_paused", "partition", "registry_stopped",
)  # fmt: skip


def cases() -> Iterator[object]:
    """Every fault killed while in effect; one of each mechanism in every way, at every point."""
    for name in sorted(SAMPLES):
        for number in KILLS:
            for point in POINTS:
                if name not in MECHANISMS and (number, point) != (signal.SIGKILL, "effect"):
                    continue
                if (name, number, point) in QUICK:
                    marks = []
                else:
                    marks = [pytest.mark.long] if name == "nic_down" else [pytest.mark.soak]
                yield pytest.param(
                    name, number, point, marks=marks, id=f"{name}-{number.name}-{point}"
                )


@dataclass(frozen=True, kw_only=True)
class Harness:
    """The child that injects, stopped at its point."""

    process: "subprocess.Popen[str]"
    guardian: int

    def entries(self) -> list[Entry]:
        """What it has open by the ledger."""
        mine = f"{self.process.pid}:"
        return [entry for entry in Ledger().read().entries if entry.owner.startswith(mine)]


@pytest.fixture
def stage(cluster: K3sCluster, namespace: Namespace) -> Stage:
    return Stage(cluster, namespace)


class Stopped(Protocol):
    """A harness that has come to that point."""

    def __call__(self, fault: Fault, point: str, *, at_most_s: float = 120) -> Harness: ...


@pytest.fixture
def stopped(cluster: K3sCluster) -> Iterator[Stopped]:
    """Starts them; none is there any more after the test."""
    with ExitStack() as stack:

        def start(fault: Fault, point: str, *, at_most_s: float = 120) -> Harness:
            return stack.enter_context(harness_at(cluster, fault, point, at_most_s))

        yield start


@contextmanager
def harness_at(
    cluster: K3sCluster, fault: Fault, point: str, at_most_s: float
) -> Iterator[Harness]:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.cluster.killable_harness", cluster.name,
            fault.name, json.dumps(parameters_of(fault)), point, str(at_most_s),
        ],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        up = process.stdout.readline().split()
        assert up[:1] == ["up"], f"it ended with {process.wait()}"
        assert process.stdout.readline().strip() == f"at {point}", f"it ended with {process.wait()}"
        yield Harness(process=process, guardian=int(up[1]))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name, number, point", list(cases()))
def test_a_stopped_harness_leaves_nothing_broken(
    name: str, number: signal.Signals, point: str, stage: Stage, stopped: Stopped
) -> None:
    sample = SAMPLES[name]
    fault = sample.make(stage)
    if fault.requires - stage.cluster.capabilities:
        pytest.skip("this cluster cannot have it; its contract says that it is refused")
    before = fingerprint(stage.cluster)
    harness = stopped(fault, point)
    assert bool(harness.entries()) == (point != "before")
    if point in ("effect", "heal"):
        assert fault.is_effective(stage.cluster)

    killed_ns = clock.now_ns()
    # To its whole group, as a terminal does, or a job that is cancelled.
    os.killpg(harness.process.pid, number)
    wait_until(
        lambda: not harness.entries() and (fault.one_shot or not fault.is_effective(stage.cluster)),
        what=f"{name} to be healed after {number.name} at {point}",
        timeout_s=_HEALED_WITHIN_S,
        interval_s=0.02,
        seen=harness.entries,
    )
    healed_s = (clock.now_ns() - killed_ns) / 1e9
    status = harness.process.wait(_HEALED_WITHIN_S)
    if sample.whole_node:
        stage.agent.wait_ready(timeout_s=_CLEAN_WITHIN_S)
    residue = left_after(stage.cluster, before, timeout_s=_HEALED_WITHIN_S)
    note(fault=name, by=number.name, point=point, healed_s=healed_s, residue=residue)
    assert residue == []
    assert status == (128 + number if number is signal.SIGTERM else -number), "it ended otherwise"
    guardian_ends(harness)
    if number is signal.SIGKILL and not fault.one_shot:
        assert healed_s < _HEALED_AT_ONCE_S


@pytest.mark.long
def test_with_its_guardian_killed_too_the_node_heals_itself(stage: Stage, stopped: Stopped) -> None:
    """The whole process tree at once; then `chaoskit heal` finds nothing more to mend."""
    fault = SAMPLES["nic_down"].make(stage)
    before = fingerprint(stage.cluster)
    harness = stopped(fault, "effect", at_most_s=_AT_MOST_S)
    # The guardian first: between two signals it would have the time to heal.
    tree = [psutil.Process(harness.guardian), psutil.Process(harness.process.pid)]
    tree += [child for one in tree for child in one.children(recursive=True)]
    killed_ns = clock.now_ns()
    for process in {each.pid: each for each in tree}.values():
        process.kill()
    harness.process.wait()
    assert fault.is_effective(stage.cluster), "nobody is left who could have healed it"
    wait_until(
        lambda: not fault.is_effective(stage.cluster),
        what="the node to heal by its own timer",
        timeout_s=_TIMER_WITHIN_S,
    )
    healed_s = (clock.now_ns() - killed_ns) / 1e9
    assert len(harness.entries()) == 1, "nobody has closed it yet"
    said = cli("heal")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "nic_down" in said.stdout
    assert harness.entries() == []
    stage.agent.wait_ready(timeout_s=_CLEAN_WITHIN_S)
    residue = left_after(stage.cluster, before, timeout_s=_HEALED_WITHIN_S)
    note(fault="nic_down", by="SIGKILL of all", point="effect", healed_s=healed_s, residue=residue)
    assert residue == []


@pytest.mark.long
def test_what_a_killed_tree_left_is_healed_by_the_next_who_comes(
    stage: Stage, stopped: Stopped
) -> None:
    """Long before the node's own timer."""
    fault = SAMPLES["nic_down"].make(stage)
    before = fingerprint(stage.cluster)
    harness = stopped(fault, "effect")
    os.kill(harness.guardian, signal.SIGKILL)
    harness.process.kill()
    harness.process.wait()
    assert "is dead" in cli("faults", "--open").stdout
    said = cli("heal")
    assert said.returncode == 0, said.stdout + said.stderr
    assert not fault.is_effective(stage.cluster)
    assert harness.entries() == []
    assert cli("heal").returncode == 0
    stage.agent.wait_ready(timeout_s=_CLEAN_WITHIN_S)
    assert left_after(stage.cluster, before, timeout_s=_HEALED_WITHIN_S) == []


@pytest.mark.long
def test_a_harness_whose_guardian_was_killed_still_heals(stage: Stage, stopped: Stopped) -> None:
    fault = SAMPLES["nic_down"].make(stage)
    harness = stopped(fault, "heal")
    os.kill(harness.guardian, signal.SIGKILL)
    assert harness.process.wait(_HEALED_WITHIN_S) == 0
    assert harness.entries() == []
    assert not fault.is_effective(stage.cluster)


@pytest.mark.long
def test_injected_by_hand_and_killed(stage: Stage) -> None:
    """`chaoskit inject`, killed: its guardian heals. Asked to end: it heals itself."""
    fault = SAMPLES["nic_down"].make(stage)
    target = stage.agent.name.removeprefix(f"{stage.cluster.name}-")
    argv = ["inject", "nic_down", target, "--for", "120s", "--cluster", stage.cluster.name]
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-m", "chaoskit.cli", *argv], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert any("in effect" in line for line in process.stdout)
        twice = cli(*argv)
        assert twice.returncode == EXIT_ENVIRONMENT
        assert "is open already" in twice.stderr
        process.send_signal(number)
        process.communicate(timeout=_HEALED_WITHIN_S)
        wait_until(
            lambda: not fault.is_effective(stage.cluster),
            what=f"it to be healed after {number.name}",
            timeout_s=_HEALED_AT_ONCE_S,
        )
        wait_until(
            lambda: stage.cluster.name not in [entry.cluster for entry in Ledger().read().entries],
            what="nothing to be open in this cluster",
            timeout_s=_HEALED_AT_ONCE_S,
        )
    stage.agent.wait_ready(timeout_s=_CLEAN_WITHIN_S)


def guardian_ends(harness: Harness) -> None:
    """It has nothing left to guard."""
    wait_until(
        lambda: not psutil.pid_exists(harness.guardian),
        what=f"guardian {harness.guardian} to end",
        timeout_s=_HEALED_WITHIN_S,
    )


def cli(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "chaoskit.cli", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def note(*, fault: str, by: str, point: str, healed_s: float, residue: list[str]) -> None:
    """Add a line to the results."""
    RESULTS.parent.mkdir(exist_ok=True)
    row = {"fault": fault, "by": by, "point": point, "healed_s": healed_s, "residue": residue}
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
