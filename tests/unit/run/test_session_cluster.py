"""The cluster that worker processes share, as one of them gives it up. No engine is needed."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch.labels import this_process
from chaoskit.errors import ClusterError, EngineError
from chaoskit.faults.ledger.guard import Guard
from chaoskit.run.book import SessionBook
from chaoskit.run.session_cluster import SessionCluster
from chaoskit.run.shared import SharedCluster, SharedRun
from chaoskit.run.warm_driver import WarmDriver
from chaoskit.waiting import wait_until


@dataclass
class Joined:
    """In place of a cluster that this process has joined: notes what is done with it."""

    name: str = "old"
    done: list[str] = field(default_factory=list)

    def collect_logs(self, folder: Path) -> None:
        """There are none."""

    def remove(self) -> None:
        self.done.append("removed")

    def close(self) -> None:
        self.done.append("left")


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One of several processes of a session."""

    shared: SharedRun
    session: SessionCluster
    joined: Joined
    said: list[str]


@pytest.fixture
def worker(book: SessionBook, tmp_path: Path) -> Iterator[Worker]:
    """It has joined cluster "old", and could not heal a fault there."""
    said: list[str] = []
    shared = SharedRun(tmp_path, this_process(), said.append)
    driver = WarmDriver(said.append)
    with closing(driver), closing(Guard()) as guard:
        session = SessionCluster(book, said.append, driver, guard, shared)
        joined = Joined()
        session._cluster, session._provider = cast(Any, joined), K3sProvider()
        session.note_dirty("a fault could not be healed")
        yield Worker(shared=shared, session=session, joined=joined, said=said)
        session.stop()
        if session._shared_guard is not None:
            session._shared_guard.close()


def test_a_dirty_cluster_that_another_has_replaced_takes_the_new_one_from_nobody(
    worker: Worker,
) -> None:
    worker.shared.write(SharedCluster(name="new", control=("127.0.0.1", 1)))
    with pytest.raises(EngineError), worker.session.using(alone=False):
        pytest.fail("joined without an engine")
    there = worker.shared.read()
    assert there is not None
    assert there.name == "new"
    assert worker.joined.done == ["left"]


def test_one_that_ends_with_a_dirty_cluster_waits_for_the_others_scenarios(worker: Worker) -> None:
    """Removed under their load, it would look like an outage of what they test."""
    worker.shared.write(SharedCluster(name="old", control=("127.0.0.1", 1)))
    ending = threading.Thread(target=worker.session.stop)
    with worker.shared.use.shared(timeout_s=5):
        ending.start()
        wait_until(
            lambda: "waiting for the cluster, to use it alone" in worker.said or worker.joined.done,
            what="it to wait",
            timeout_s=30,
        )
        assert worker.joined.done == []
    ending.join(60)
    assert worker.joined.done == ["removed"]
    assert worker.shared.read() is None


def test_one_that_ends_removes_no_cluster_that_another_has_replaced(worker: Worker) -> None:
    worker.shared.write(SharedCluster(name="new", control=("127.0.0.1", 1)))
    worker.session.stop()
    assert worker.joined.done == ["left"]
    assert worker.shared.read() is not None


def test_a_cluster_that_is_gone_is_not_put_away_for_one_of_another_size(worker: Worker) -> None:
    with pytest.raises(EngineError), worker.session.using(alone=True, nodes="1+3"):
        pytest.fail("started without an engine")
    assert worker.joined.done == ["left"]


def test_one_that_was_started_but_cannot_be_shared_is_removed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else would know of it, and the next process starts another."""
    session, started = worker.session, Joined("half")

    class Provider:
        def stop(self, cluster: Joined) -> None:
            cluster.remove()

        def close(self) -> None:
            """It holds nothing."""

    def start() -> None:
        session._cluster = cast(Any, started)
        raise ClusterError("the control target does not start")

    session._cluster, session._provider, session._dirty = None, cast(Any, Provider()), ""
    monkeypatch.setattr(session, "_start", start)
    with pytest.raises(ClusterError, match="control target"), session.using(alone=False):
        pytest.fail("went on")
    assert started.done == ["removed"]


def test_only_one_that_is_alone_need_not_spare_the_others(worker: Worker) -> None:
    worker.shared.write(SharedCluster(name="old", control=("127.0.0.1", 1)))
    worker.session._dirty = ""
    told = []
    for alone in (False, True, False):
        with worker.session.using(alone=alone):
            told.append(worker.session.is_used_by_others)
    assert told == [True, False, True]
    assert not worker.session.is_used_by_others
    assert worker.joined.done == []
