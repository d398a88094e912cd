"""Faults as a scenario injects them: at once, again and again, by plan; and what is spared."""

import dataclasses
from pathlib import Path

import pytest

from chaoskit.cluster.fingerprint import fingerprint, left_after
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.launch import leftovers
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import FaultError, UsageError, WaitTimeout
from chaoskit.faults import NicDown
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.history.events import FaultMark, Note
from chaoskit.options import checked
from chaoskit.run import Planned
from chaoskit.run.book import SessionBook
from chaoskit.run.session import ChaosSession
from chaoskit.workloads.namespace import Namespace
from tests.cluster.planting import Planting

pytestmark = pytest.mark.alone  # faults of nodes

READY_WITHIN_S = 90.0


def cut(cluster: K3sCluster, number: int) -> NicDown:
    return NicDown(cluster.agents[number].name)


def open_in(cluster: K3sCluster) -> list[str]:
    entries = Ledger().read().entries
    return [entry.target for entry in entries if entry.cluster == cluster.name]


def test_faults_at_once_again_and_by_plan_are_windows_of_their_own(planting: Planting) -> None:
    cluster, run = planting.cluster, planting.run
    one, two = cut(cluster, 0), cut(cluster, 1)
    before = fingerprint(cluster)
    with run.inject(one, two):
        assert one.is_effective(cluster)
        assert two.is_effective(cluster)
        assert open_in(cluster) == [two.target, one.target]
    run.flap(one, down_s=1.0, up_s=0.5, times=2)
    run.play([Planned(one, 0.5, 1.5), Planned(two, 0, 1)])
    assert open_in(cluster) == []
    run.close()
    windows = fault_windows(run.history(), "nic_down")
    assert [window.target for window in windows] == [
        one.target, two.target, one.target, one.target, two.target, one.target,
    ]  # fmt: skip
    assert [window.doubts for window in windows] == [()] * 6
    *_, first, second = windows
    assert first.requested_ns < second.requested_ns < first.end_ns < second.end_ns
    for node in cluster.agents:
        node.wait_ready(timeout_s=READY_WITHIN_S)
    assert left_after(cluster, before, timeout_s=30) == []


def test_the_same_fault_on_the_same_target_is_refused_while_it_is_open(planting: Planting) -> None:
    fault = cut(planting.cluster, 0)
    with planting.run.inject(fault):
        with (
            pytest.raises(FaultError, match="is open already"),
            planting.run.inject(dataclasses.replace(fault, interface="eth0")),
        ):
            pytest.fail("it was injected twice")
        assert fault.is_effective(planting.cluster), "what was refused heals nothing"
        assert open_in(planting.cluster) == [fault.target]
    assert not fault.is_effective(planting.cluster)
    planting.cluster.agents[0].wait_ready(timeout_s=READY_WITHIN_S)


def test_the_way_of_a_running_load_is_spared_and_so_is_the_last_control_plane(
    planting: Planting,
) -> None:
    cluster, run = planting.cluster, planting.run
    web = planting.web(replicas=1)
    load = planting.load(web.service, rate_per_s=20, via=cluster.agents[0])
    with (
        pytest.raises(UsageError, match=r'allow=\("entry_node",\)'),
        run.inject(cut(cluster, 0)),
    ):
        pytest.fail("the load's own way was cut")
    with (
        pytest.raises(UsageError, match=r'allow=\("last_control_plane",\)'),
        run.inject(NicDown(cluster.servers[0].name)),
    ):
        pytest.fail("the only control plane was cut")
    assert open_in(cluster) == []
    with run.inject(cut(cluster, 0), allow=("entry_node",)):
        pass
    load.stop()
    with run.inject(cut(cluster, 0)):
        pass
    run.close()
    marks = [mark.mark for mark in run.history().of(FaultMark)]
    assert marks.count("requested") == marks.count("healed") == 2, "what is refused leaves no mark"
    cluster.agents[0].wait_ready(timeout_s=READY_WITHIN_S)


class NotHealed(NicDown):
    """Its heal does nothing."""

    def heal(self, cluster: Cluster) -> None:
        pass


@pytest.mark.long
def test_a_fault_that_cannot_be_seen_healed_costs_the_cluster(tmp_path: Path, state: Path) -> None:
    """The record has a note, the session a trouble, and the next scenario a new cluster."""
    options = checked(
        image="auto", nodes="1+1", profile="fast", keep_cluster=False,
        report_dir=str(tmp_path / "reports"), seed="1", strict=False,
    )  # fmt: skip
    said: list[str] = []
    session = ChaosSession(SessionBook(options, "test"), said.append)
    try:
        cluster = session.cluster()
        namespace = Namespace.create(cluster.kube, "dirty")
        run = session.begin(
            nodeid="one", title="", description="", rows=(), namespace=namespace.name
        )
        with (
            pytest.raises(WaitTimeout, match="without effect after its heal"),
            run.inject(NotHealed(cluster.agents[0].name)),
        ):
            pass
        run.close()
        notes = [note.text for note in run.history().of(Note) if note.level == "error"]
        assert any("could not be seen healed" in text for text in notes)
        marks = [mark.mark for mark in run.history().of(FaultMark)]
        assert marks[-1] == "heal_failed"
        assert "healed" not in marks
        assert ["could not be seen healed" in each for each in session.book.troubles] == [True]
        assert len(Ledger().read().entries) == 1
        fresh = session.cluster()
        assert fresh.name != cluster.name
        assert leftovers.found(fresh.client, cluster.name) == ()
        assert Ledger().read().entries == (), "it went with its cluster"
        assert len(fresh.kube.list("Node")) == 2
    finally:
        session.stop_cluster()
