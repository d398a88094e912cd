"""A pod that gets no processor of the machine, and one that hangs, look alike to its clients."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chaoskit.cluster.container_scanner import node_cgroup
from chaoskit.cluster.pod_cgroups import PodCgroups, Running
from chaoskit.guarantees import failures_attributed, no_request_lost
from chaoskit.guarantees.traffic.starved import starved_pods
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.run import NotHeld
from chaoskit.waiting import wait_until
from chaoskit.workloads.pod import Pod
from tests.cluster.planting import Planting

# Alone: processes that take every processor for some seconds are felt by all.
pytestmark = [pytest.mark.long, pytest.mark.alone]

STARVED_S = 5.0
SPIN = [sys.executable, "-c", "while True: pass"]


def container_of(planting: Planting, pod: Pod) -> tuple[Running, Path]:
    """The pod's container, and the pod's cgroup where processors are shared out."""
    uid = pod.read()["metadata"]["uid"]
    (node,) = (
        row
        for row in planting.cluster.node_inspections()
        if row["Name"].lstrip("/") == pod.node_name
    )
    cgroups = PodCgroups(node_cgroup(node))
    cgroups.scan()
    (one,) = (one for one in cgroups.running() if one.pod_uid == uid)
    cgroups.close()
    return one, (node_cgroup(node, hierarchies=("cpu",)) / one.place).parent


@contextmanager
def starving(pod_cgroup: Path) -> Iterator[None]:
    """The smallest share of the processors for the pod, and beside it others that want them all."""
    version_2 = (pod_cgroup / "cpu.weight").exists()
    name, least, most = ("cpu.weight", 1, 10_000) if version_2 else ("cpu.shares", 2, 262_144)
    share, beside = (pod_cgroup / name).read_text(), pod_cgroup.with_name("chaoskit-test")
    beside.mkdir()
    try:
        (beside / name).write_text(str(most))
        (pod_cgroup / name).write_text(str(least))
        with ExitStack() as others:
            for _ in range(2 * (os.cpu_count() or 1)):
                one = others.enter_context(subprocess.Popen(SPIN))
                others.callback(one.kill)
                (beside / "cgroup.procs").write_text(str(one.pid))
            yield
    finally:
        (pod_cgroup / name).write_text(share)
        wait_until(lambda: removed(beside), what=f"{beside} to be empty", timeout_s=5)


def removed(cgroup: Path) -> bool:
    try:
        cgroup.rmdir()
    except OSError:  # what was in it has yet to end
        return False
    return True


@contextmanager
def stopped(pids: list[str]) -> Iterator[None]:
    for pid in pids:
        os.kill(int(pid), signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(int(pid), signal.SIGCONT)


@pytest.mark.parametrize("starved", [True, False], ids=["no processor", "hangs"])
def test_only_the_one_that_hangs_is_charged(planting: Planting, starved: bool) -> None:
    """One pod cannot run for some seconds, by the machine's fault or by its own."""
    web = planting.web(replicas=1)
    (pod,) = web.deployment.pods()
    one, pod_cgroup = container_of(planting, pod)
    # Half as patient as usual: a starved pod runs now and then, and answers within two seconds.
    with planting.load(web.service, rate_per_s=20, answer_timeout_s=1.0) as load:
        load.run_for(seconds=3)
        with starving(pod_cgroup) if starved else stopped(one.pids):
            load.run_for(seconds=STARVED_S)
        load.run_for(seconds=3)
    verdicts = judged(planting)
    lost = verdicts["no_request_lost"]
    waits = [each for each in starved_pods(planting.run.history()) if each.pod_uid == one.pod_uid]
    if starved:
        assert waits
        assert lost.outcome is Outcome.UNKNOWN, lost.summary
        assert "the machine kept a pod from running" in lost.summary
    else:
        assert waits == []
        assert lost.outcome is Outcome.VIOLATED, lost.summary


def judged(planting: Planting) -> dict[str, Verdict]:
    try:
        judgement = planting.run.check(no_request_lost(), failures_attributed())
    except NotHeld as error:
        judgement = error.judgement
    return {verdict.guarantee: verdict for verdict in judgement.verdicts}
