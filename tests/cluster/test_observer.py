"""The observer on a real cluster: nothing lost, gaps named, its own death survived."""

import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError, KubernetesError
from chaoskit.history.events import (
    AnyEvent,
    ClockPair,
    Note,
    Watched,
    WatchGap,
    WatchLag,
    WatchStarted,
)
from chaoskit.history.folder import RecordFolder
from chaoskit.history.frames import FrameKind, read_frames
from chaoskit.history.writer import unpack_lines
from chaoskit.kube import collection, observer, watching
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.observer import Observer
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace

pytestmark = pytest.mark.alone  # the API server is restarted


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


def events_in(folder: Path) -> list[AnyEvent]:
    decoder = msgspec.json.Decoder(AnyEvent)
    return [
        decoder.decode(line)
        for path in RecordFolder(folder).events_files()
        for payload in read_frames(path).payloads(FrameKind.EVENTS)
        for line in unpack_lines(memoryview(payload))
    ]


def service(namespace: str, name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 80}]},
    }


def changes(events: list[AnyEvent], kind: str, name: str) -> list[Watched]:
    return [
        event
        for event in events
        if isinstance(event, Watched) and (event.kind, event.name) == (kind, name)
    ]


def wait_changes(folder: Path, kind: str, name: str, wanted: list[str]) -> list[Watched]:
    """Wait until the record shows exactly these changes of an object."""

    def seen() -> list[str]:
        return [event.change for event in changes(events_in(folder), kind, name)]

    wait_until(lambda: seen() == wanted, what=f"{kind} {name} {wanted}", timeout_s=20, seen=seen)
    return changes(events_in(folder), kind, name)


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


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def append(self, event: AnyEvent) -> None:
        self.events.append(event)

    def first_listed(self, kind: str, resource_version: int) -> None:
        raise AssertionError("it knew the collection already")


@pytest.fixture
def heard_again(cluster: Cluster, kube: Kube) -> Iterator[None]:
    """Afterwards who judges nodes watches them again, and has heard of all of them.

    Watches of an API server that was started anew are tried again with growing waits: a node
    controller without its watch of leases takes nodes for lost that are well, in a later test.
    """
    before = _watches_of_nodes(kube)
    assert all(before.values()), before
    yield

    def are_back() -> bool:
        return all(now >= before[what] for what, now in _watches_of_nodes(kube).items())

    wait_until(are_back, what="all watches of nodes and leases to be back", timeout_s=120)
    for node in cluster.nodes:
        node.wait_ready(timeout_s=90)


def _watches_of_nodes(kube: Kube) -> dict[str, float]:
    """How many watch all nodes and all leases, as the API server counts them."""
    lines = kube.raw_get("/metrics").splitlines()
    return {
        resource: sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("apiserver_longrunning_requests{")
            and {f'resource="{resource}"', 'scope="cluster"', 'verb="WATCH"'}
            <= set(line[line.index("{") + 1 : line.index("}")].split(","))
        )
        for resource in ("nodes", "leases")
    }


def restart_api_server(cluster: Cluster, kube: Kube) -> None:
    """A new API server keeps no older versions for watches than those it found at its start."""
    server = next(node for node in cluster.nodes if node.role == "server")
    before = _started(kube)
    done = server.execute(["k3s", "component", "restart", "kube-apiserver"], timeout_s=30)
    assert done.exit_code == 0, done.stderr

    def is_new() -> bool:
        try:
            return _started(kube) != before and kube.raw_get("/readyz") == "ok"
        except KubernetesError:
            return False

    wait_until(is_new, what="the API server to come back", timeout_s=60)


def _started(kube: Kube) -> str:
    metrics = kube.raw_get("/metrics").splitlines()
    return next(line for line in metrics if line.startswith("process_start_time_seconds"))


def test_a_version_that_the_server_no_longer_holds_makes_a_gap_with_its_uids(
    cluster: Cluster, kube: Kube, heard_again: None, namespace: str
) -> None:
    uids = {
        name: kube.create(service(namespace, name))["metadata"]["uid"]
        for name in ("same", "changed", "went")
    }
    page = kube.list_page("Service", namespace)
    known = collection.Known(
        {item["metadata"]["uid"]: collection.version_of(item) for item in page.items},
        page.resource_version,
        since_ns := clock.now_ns(),
    )
    kube.patch("Service", "changed", namespace, {"metadata": {"labels": {"a": "b"}}})
    kube.delete("Service", "went", namespace)
    uids["came"] = kube.create(service(namespace, "came"))["metadata"]["uid"]
    restart_api_server(cluster, kube)

    sink = Collected()
    watch = watching.CollectionWatch(kube, "Service", namespace, sink, known)
    threading.Thread(target=watch.run, daemon=True).start()
    wait_until(
        lambda: any(isinstance(event, WatchStarted) for event in sink.events),
        what="the collection to be listed again",
        timeout_s=20,
    )
    kube.create(service(namespace, "later"))
    wait_until(
        lambda: changes(sink.events, "Service", "later"), what="the watch to go on", timeout_s=20
    )
    watch.stop()

    [gap] = [event for event in sink.events if isinstance(event, WatchGap)]
    assert gap.uids == sorted(uids[name] for name in ("changed", "went", "came"))
    assert (gap.since_ns, gap.kind) == (since_ns, "Service")
    assert "410" in gap.reason
    listed = [event for event in sink.events if isinstance(event, Watched)]
    assert {event.name for event in listed} == {"changed", "came", "later"}


def test_the_api_servers_restart_loses_nothing(
    cluster: Cluster,
    kube: Kube,
    heard_again: None,
    namespace: str,
    running: Observer,
    tmp_path: Path,
) -> None:
    uid = kube.create(service(namespace, "before"))["metadata"]["uid"]
    restart_api_server(cluster, kube)
    kube.delete("Service", "before", namespace)
    wait_changes(tmp_path, "Service", "before", ["ADDED", "DELETED"])
    running.stop()
    gaps = [event for event in events_in(tmp_path) if isinstance(event, WatchGap)]
    assert uid not in {named for gap in gaps for named in gap.uids}
    assert collection.ANY_OBJECT not in {named for gap in gaps for named in gap.uids}


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
