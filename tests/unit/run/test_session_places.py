"""Several clusters of one session: which of them a scenario gets. No engine is needed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from chaoskit.cluster.launch.labels import this_process
from chaoskit.errors import WaitTimeout
from chaoskit.history.events import Calibration
from chaoskit.plugin.asked import dealt_out
from chaoskit.run.book import SessionBook
from chaoskit.run.session import ChaosSession
from chaoskit.run.shared import SharedCluster, SharedRun


class Joined:
    """In place of a cluster that this process has joined."""

    def __init__(self, name: str) -> None:
        self.name = name

    def close(self) -> None:
        """It holds nothing."""


@pytest.fixture
def shared(tmp_path: Path) -> SharedRun:
    """The first of two clusters of a session."""
    first = SharedRun(tmp_path, this_process(), lambda text: None)
    for place, name in enumerate(("first", "second")):
        first.at(place).write(SharedCluster(name=name, control=("127.0.0.1", 1)))
    return first


def session_at(place: int, book: SessionBook, shared: SharedRun) -> ChaosSession:
    made = ChaosSession(book, lambda text: None, shared=shared, place=place)
    for at, cluster in made._places.items():
        there = shared.at(at).read()
        assert there is not None
        cluster._cluster = cast(Any, Joined(there.name))
    return made


@pytest.fixture
def session(book: SessionBook, shared: SharedRun) -> Iterator[ChaosSession]:
    """A process that has the second cluster alone."""
    made = session_at(1, book, shared)
    yield made
    made.stop_cluster()


def test_what_needs_a_cluster_alone_waits_for_nobody_who_shares_the_first(
    session: ChaosSession, shared: SharedRun
) -> None:
    with shared.use.shared(timeout_s=5), session.using(alone=True) as cluster:
        assert cluster.name == "second"
    assert session.waited_s < 1


def test_what_needs_none_alone_shares_the_first(session: ChaosSession, shared: SharedRun) -> None:
    with shared.use.shared(timeout_s=5), session.using(alone=False) as cluster:
        assert cluster.name == "first"


def test_of_one_place_two_that_need_it_alone_wait_for_one_another(
    session: ChaosSession, shared: SharedRun
) -> None:
    with shared.at(1).use.alone(timeout_s=5):
        assert session._places[1]._shared is not None
        with (
            pytest.raises(WaitTimeout),
            session._places[1]._shared.use.alone(timeout_s=0.3),
        ):
            pytest.fail("two at once")


def test_while_one_is_heavy_nobody_has_any_cluster(
    session: ChaosSession, book: SessionBook, shared: SharedRun
) -> None:
    other = session_at(0, book, shared)
    with session.using(alone=False, heavy=True) as cluster:
        assert cluster.name == "second"  # its own: nobody shares it either
        with pytest.raises(WaitTimeout), shared.machine.shared(timeout_s=0.3):
            pytest.fail("beside a heavy one")
        with pytest.raises(WaitTimeout), shared.at(1).use.shared(timeout_s=0.3):
            pytest.fail("on the cluster of a heavy one")
    with other.using(alone=False):
        with pytest.raises(WaitTimeout), shared.machine.alone(timeout_s=0.3):
            pytest.fail("a heavy one beside another")
        with session.using(alone=True) as cluster:
            assert cluster.name == "second"
    assert other.waited_s < 1
    other.stop_cluster()


def test_a_process_of_the_first_place_has_that_alone(book: SessionBook, shared: SharedRun) -> None:
    session = session_at(0, book, shared)
    with session.using(alone=True) as cluster:
        assert cluster.name == "first"
    session.stop_cluster()


def test_drivers_are_measured_once_for_all_clusters(shared: SharedRun) -> None:
    assert shared.calibration() is None
    measured = Calibration(time_ns=0, kept_per_s=900.0, new_per_s=300.0, lag_limit_ms=5.0, cores=2)
    shared.write(SharedCluster(name="first", control=("127.0.0.1", 1), calibration=measured))
    assert shared.at(1).calibration() == measured


def test_all_are_those_that_are_there(shared: SharedRun) -> None:
    shared.write(None)
    assert [each.place for each in shared.all()] == [1]
    shared.at(1).write(None)
    assert shared.all() == []


@pytest.mark.parametrize("worker, place", [("gw0", 0), ("gw1", 1), ("gw2", 0), ("gw11", 1)])
def test_workers_are_dealt_out_to_the_places(worker: str, place: int) -> None:
    assert dealt_out(worker, 2) == place
    assert dealt_out(worker, 1) == 0
