"""Watches that fall silent and do not end: what they missed is named when watching ends."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from chaoskit import clock
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.history.events import WatchGap
from chaoskit.kube import collection, observer
from chaoskit.kube.client import Kube
from chaoskit.kube.observer import Observer
from chaoskit.workloads.namespace import Namespace
from tests.cluster.observed import service, wait_changes
from tests.cluster.relay import Relay, relayed
from tests.records import events_in


@pytest.fixture
def relay(kube: Kube) -> Iterator[Relay]:
    server = urlsplit(kube.server)
    assert server.hostname is not None
    assert server.port is not None
    with relayed((server.hostname, server.port)) as made:
        yield made


@pytest.fixture
def observing(
    cluster: K3sCluster, namespace: Namespace, relay: Relay, tmp_path: Path
) -> Iterator[Observer]:
    """An observer whose way to the API server is the relay."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    (entry,) = config["clusters"]
    entry["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    started = Observer.start(kubeconfig, [namespace.name], tmp_path, tmp_path / "observer.log")
    started.wait_synced(30)
    yield started
    started.stop()


def gaps_in(folder: Path) -> list[WatchGap]:
    return [event for event in events_in(folder) if isinstance(event, WatchGap)]


def test_what_changed_while_a_watch_was_silent_is_a_gap(
    kube: Kube, namespace: Namespace, relay: Relay, observing: Observer, tmp_path: Path
) -> None:
    """Nothing on the record would tell it from a cluster in which nothing happened."""
    name = namespace.name
    uids = {
        each: kube.create(service(name, each))["metadata"]["uid"]
        for each in ("same", "changed", "went")
    }
    wait_changes(tmp_path, "Service", "went", ["ADDED"])
    relay.hold()
    silent_ns = clock.now_ns()
    kube.patch("Service", "changed", name, {"metadata": {"labels": {"a": "b"}}})
    kube.delete("Service", "went", name)
    uids["came"] = kube.create(service(name, "came"))["metadata"]["uid"]
    observing.stop()

    (gap,) = (gap for gap in gaps_in(tmp_path) if gap.kind == "Service")
    assert gap.uids == sorted(uids[each] for each in ("changed", "went", "came"))
    assert gap.since_ns < silent_ns < gap.time_ns
    assert "was silent about" in gap.reason


def test_where_nothing_can_be_asked_any_more_anything_may_have_changed(
    relay: Relay, observing: Observer, tmp_path: Path
) -> None:
    relay.hold(new_ones_too=True)
    observing.stop()
    gaps = gaps_in(tmp_path)
    assert {gap.kind for gap in gaps} == set(observer.KINDS)
    assert all(gap.uids == [collection.ANY_OBJECT] for gap in gaps)
    assert all("could not be listed at the end" in gap.reason for gap in gaps)
