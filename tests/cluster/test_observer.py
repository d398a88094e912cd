"""The observer on a real cluster: nothing lost, gaps named, its own death survived."""

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError
from chaoskit.history.events import (
    ClockPair,
    Note,
    Watched,
    WatchGap,
    WatchLag,
    WatchStarted,
)
from chaoskit.history.folder import RecordFolder
from chaoskit.history.frames import read_frames
from chaoskit.kube import collection, observer
from chaoskit.kube.client import Kube
from chaoskit.kube.observer import Observer
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.observed import changes, service, wait_changes
from tests.records import events_in


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    made = Namespace.create(kube, "observer")
    yield made.name
    made.delete()


@pytest.fixture
def running(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Observer]:
    started = Observer.start(cluster.kubeconfig, [namespace], tmp_path, tmp_path / "observer.log")
    started.wait_synced(30)
    yield started
    if started.is_alive:
        started.stop()


def test_every_change_is_recorded_in_order_with_its_arrival(
    kube: Kube, namespace: str, running: Observer, tmp_path: Path
) -> None:
    before_ns = clock.now_ns()
    made = kube.create(service(namespace, "shop"))
    kube.patch("Service", "shop", namespace, {"metadata": {"labels": {"tier": "front"}}})
    kube.delete("Service", "shop", namespace)
    seen = wait_changes(tmp_path, "Service", "shop", ["ADDED", "MODIFIED", "DELETED"])
    assert {event.uid for event in seen} == {made["metadata"]["uid"]}
    versions = [event.resource_version for event in seen]
    assert versions == sorted(set(versions))
    assert all(before_ns < event.time_ns < clock.now_ns() for event in seen)
    assert all("managedFields" not in event.object["metadata"] for event in seen)
    assert seen[1].object["metadata"]["labels"] == {"tier": "front"}


def test_what_existed_is_listed_before_it_is_synced(
    cluster: Cluster, kube: Kube, namespace: str, tmp_path: Path
) -> None:
    kube.create(service(namespace, "old"))
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "key", "namespace": namespace},
            "stringData": {"password": "do-not-record-me"},
        }
    )
    started = Observer.start(cluster.kubeconfig, [namespace], tmp_path, tmp_path / "log")
    started.wait_synced(30)
    kube.create(service(namespace, "new"))
    wait_changes(tmp_path, "Service", "new", ["ADDED"])
    started.stop()
    events = events_in(tmp_path)
    assert [event.change for event in changes(events, "Service", "old")] == ["LISTED"]
    assert {event.kind for event in events if isinstance(event, WatchStarted)} == set(
        observer.KINDS
    )
    assert not [event for event in events if isinstance(event, WatchGap)]
    assert not [event for event in events if isinstance(event, Watched) and event.kind == "Secret"]
    assert read_frames(RecordFolder(tmp_path).events_files()[0]).closed


def test_clocks_are_paired_each_second(running: Observer, tmp_path: Path) -> None:
    def pairs() -> list[ClockPair]:
        return [event for event in events_in(tmp_path) if isinstance(event, ClockPair)]

    found = wait_until(
        lambda: pairs() if len(pairs()) >= 4 else None, what="four clock pairs", timeout_s=10
    )
    gaps_ns = [later.time_ns - one.time_ns for one, later in itertools.pairwise(found)]
    assert max(gaps_ns) < 1_500_000_000
    assert {pair.boot_id for pair in found} == {clock.boot_id()}


def test_nothing_is_lost_under_many_changes(
    kube: Kube, namespace: str, running: Observer, tmp_path: Path
) -> None:
    names = [f"s{number:03}" for number in range(60)]
    uids = {name: kube.create(service(namespace, name))["metadata"]["uid"] for name in names}
    for name in names:
        kube.delete("Service", name, namespace)
    wait_changes(tmp_path, "Service", names[-1], ["ADDED", "DELETED"])
    running.stop()
    events = events_in(tmp_path)
    for name in names:
        seen = changes(events, "Service", name)
        assert [(event.change, event.uid) for event in seen] == [
            ("ADDED", uids[name]),
            ("DELETED", uids[name]),
        ]


def test_killed_it_leaves_a_readable_record_and_a_gap(
    kube: Kube, namespace: str, running: Observer, tmp_path: Path
) -> None:
    kube.create(service(namespace, "seen"))
    wait_changes(tmp_path, "Service", "seen", ["ADDED"])
    killed_ns = clock.now_ns()
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: not running.is_alive, what="its death to be noticed", timeout_s=5)
    wait_until(
        lambda: any(isinstance(event, Note) for event in events_in(tmp_path)),
        what="its death in the record",
        timeout_s=5,
    )
    with pytest.raises(ClusterError, match="ended by itself"):
        running.stop()
    events = events_in(tmp_path)
    assert changes(events, "Service", "seen")
    gaps = [event for event in events if isinstance(event, WatchGap)]
    assert {gap.kind for gap in gaps} == set(observer.KINDS)
    assert all(gap.uids == [collection.ANY_OBJECT] for gap in gaps)
    of_pods = sorted((gap.since_ns, gap.time_ns) for gap in gaps if gap.kind == "Pod")
    assert of_pods[0][0] < killed_ns  # from before the kill …
    assert of_pods[1][0] <= of_pods[0][1]  # … without a hole …
    assert of_pods[1][1] > killed_ns  # … until it was stopped


def test_it_ends_with_its_parent(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """A parent that is killed cannot tell it to stop."""
    parent = _parent_of_an_observer(cluster, namespace, tmp_path)
    try:
        wait_until(
            lambda: any(isinstance(event, WatchStarted) for event in events_in(tmp_path)),
            what="the observer to watch",
            timeout_s=60,
        )
        [child] = parent.children()
    finally:
        parent.kill()
        parent.wait(5)
    assert child.wait(5) in (0, None)
    assert read_frames(RecordFolder(tmp_path).events_files()[0]).closed


def _parent_of_an_observer(cluster: Cluster, namespace: str, folder: Path) -> psutil.Popen:
    code = (
        "import sys, threading; from pathlib import Path;"
        "from chaoskit.kube.observer import Observer;"
        "a = sys.argv;"
        "Observer.start(Path(a[1]), [a[2]], Path(a[3]), Path(a[3], 'log'));"
        "threading.Event().wait(60)"
    )
    arguments = [str(cluster.kubeconfig), namespace, str(folder)]
    return psutil.Popen([sys.executable, "-c", code, *arguments])


@pytest.mark.long
def test_the_lag_is_measured_on_the_nodes_leases(
    running: Observer, cluster: Cluster, tmp_path: Path
) -> None:
    """Each kubelet renews its lease every few seconds, so all nodes are heard of soon."""

    def heard() -> set[str]:
        return {event.name for event in events_in(tmp_path) if isinstance(event, WatchLag)}

    nodes = {node.name for node in cluster.nodes}
    wait_until(lambda: heard() >= nodes, what="a lease of each node", timeout_s=40, interval_s=0.5)
    lags_ns = [event.lag_ns for event in events_in(tmp_path) if isinstance(event, WatchLag)]
    # The clocks are one, so none is negative; a renewal that takes seconds is a sick cluster.
    assert 0 < min(lags_ns) < 2e9
    watched = {event.kind for event in events_in(tmp_path) if isinstance(event, Watched)}
    assert "Lease" not in watched
