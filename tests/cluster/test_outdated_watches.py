"""An API server that was started anew has no events of what was before: nothing is lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import KubernetesError
from chaoskit.history.events import AnyEvent, Note, Watched, WatchGap
from chaoskit.kube import collection, replay, watching
from chaoskit.kube.client import Kube
from chaoskit.kube.observer import Observer
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.observed import changes, service, wait_changes
from tests.records import events_in

pytestmark = pytest.mark.alone  # the API server is restarted


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


@dataclass
class Outdated:
    """A watch of Services that goes on after changes which a new API server has no events of."""

    uids: dict[str, str]
    since_ns: int
    events: list[AnyEvent]

    @property
    def listed(self) -> list[tuple[str, str]]:
        return [(event.change, event.name) for event in self.events if isinstance(event, Watched)]


@pytest.fixture
def outdated(
    cluster: Cluster, kube: Kube, heard_again: None, namespace: Namespace
) -> Callable[[], Outdated]:
    def go_on() -> Outdated:
        uids = {
            name: kube.create(service(namespace.name, name))["metadata"]["uid"]
            for name in ("same", "changed", "went")
        }
        page = kube.list_page("Service", namespace.name)
        versions = collection.versions_of(page.items)
        known = collection.Known(versions, page.resource_version, since_ns := clock.now_ns())
        kube.patch("Service", "changed", namespace.name, {"metadata": {"labels": {"a": "b"}}})
        kube.delete("Service", "went", namespace.name)
        uids["came"] = kube.create(service(namespace.name, "came"))["metadata"]["uid"]
        kube.create(service(namespace.name, "passed"))
        kube.delete("Service", "passed", namespace.name)
        restart_api_server(cluster, kube)

        sink = Collected()
        watch = watching.CollectionWatch(kube, "Service", namespace.name, sink, known)
        threading.Thread(target=watch.run, daemon=True).start()
        wait_until(
            lambda: any(isinstance(event, Watched) for event in sink.events),
            what="the collection to be read again",
            timeout_s=20,
        )
        kube.create(service(namespace.name, "later"))
        wait_until(
            lambda: changes(sink.events, "Service", "later"),
            what="the watch to go on",
            timeout_s=20,
        )
        watch.stop()
        return Outdated(uids, since_ns, sink.events)

    return go_on


@pytest.fixture
def observer(cluster: Cluster, namespace: Namespace, tmp_path: Path) -> Iterator[Observer]:
    made = Observer.start(cluster.kubeconfig, [namespace.name], tmp_path, tmp_path / "observer.log")
    made.wait_synced(30)
    yield made
    made.stop()


def test_the_api_servers_restart_loses_nothing(
    outdated: Callable[[], Outdated],
    observer: Observer,
    kube: Kube,
    namespace: Namespace,
    tmp_path: Path,
) -> None:
    """Not even who came and went: no list of what is there would have it."""
    found = outdated()
    assert found.listed == [
        ("MODIFIED", "changed"), ("DELETED", "went"), ("ADDED", "came"),
        ("ADDED", "passed"), ("DELETED", "passed"), ("ADDED", "later"),
    ]  # fmt: skip
    assert not any(isinstance(event, WatchGap) for event in found.events)
    [note] = [event for event in found.events if isinstance(event, Note)]
    assert "5 changes were read from the storage" in note.text
    assert "410" in note.text

    kube.delete("Service", "same", namespace.name)
    wait_changes(tmp_path, "Service", "same", ["ADDED", "DELETED"])
    wait_changes(tmp_path, "Service", "later", ["ADDED"])
    observer.stop()
    assert [event for event in events_in(tmp_path) if isinstance(event, WatchGap)] == []


@pytest.mark.long
def test_what_cannot_be_read_from_the_storage_makes_a_gap_with_its_uids(
    outdated: Callable[[], Outdated], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "REVISIONS_AT_MOST", 2)
    found = outdated()
    [gap] = [event for event in found.events if isinstance(event, WatchGap)]
    assert gap.uids == sorted(found.uids[name] for name in ("changed", "went", "came"))
    assert (gap.since_ns, gap.kind) == (found.since_ns, "Service")
    assert "410" in gap.reason
    assert "of which 2 are read" in gap.reason
    assert {name for _, name in found.listed} == {"changed", "came", "later"}
