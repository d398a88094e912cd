"""What is injected is healed on every way out, also where the record cannot be written any more."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import RecordError
from chaoskit.faults.fault import Reach
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.history.writer import EventWriter
from chaoskit.run.composition import at_once
from chaoskit.run.injection import Injector
from chaoskit.run.marks import Marks


@dataclass(frozen=True)
class FileThere:
    """A file is there: a fault that needs no cluster. One that is `stuck` does not heal."""

    path: str
    stuck: bool = False
    name: ClassVar[str] = "file_there"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        return self.path

    @property
    def reach(self) -> Reach:
        return Reach()

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        Path(self.path).touch()

    def is_effective(self, cluster: Cluster) -> bool:
        return Path(self.path).exists()

    def heal(self, cluster: Cluster) -> None:
        if self.stuck:
            raise OSError(f"{self.path} cannot be removed")
        Path(self.path).unlink(missing_ok=True)


class Nowhere:
    """In place of a cluster and its guardian: such a fault asks nothing of either."""

    name = "c"
    engine_id = "e"
    capabilities: frozenset[str] = frozenset()

    def wait_watching(self, cluster: str) -> None:
        """Nobody is needed."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Where faults are injected in these tests, and what is told of them."""

    injector: Injector
    writer: EventWriter
    fault: FileThere
    dirty: list[str]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begun]:
    dirty: list[str] = []

    def told(reason: str) -> None:
        dirty.append(reason)

    with EventWriter(tmp_path / "events-run.ckl") as writer:
        injector = Injector(
            cluster=cast(Any, Nowhere()),
            log=Marks(writer),
            guard=cast(Any, Nowhere()),
            ledger=Ledger(tmp_path / "ledger"),
            dirty=told,
        )
        fault = FileThere(str(tmp_path / "there"))
        yield Begun(injector=injector, writer=writer, fault=fault, dirty=dirty)


def test_a_record_that_is_closed_keeps_no_fault_from_being_healed(begun: Begun) -> None:
    """As by a check inside the fault's own context, or a disk that is full."""
    injector = begun.injector
    with (
        pytest.raises(RecordError, match="is closed"),
        at_once(injector, [begun.fault], at_most_s=60, effective_within_s=10),
    ):
        begun.writer.close()
    assert not Path(begun.fault.path).exists()
    assert injector.ledger.read().entries == ()
    assert injector.open == []
    assert begun.dirty == []


def test_a_record_that_is_closed_hides_no_fault_that_does_not_heal(begun: Begun) -> None:
    stuck = FileThere(begun.fault.path, stuck=True)
    with (
        pytest.raises(RecordError, match="is closed"),
        at_once(begun.injector, [stuck], at_most_s=60, effective_within_s=10),
    ):
        begun.writer.close()
    (entry,) = begun.injector.ledger.read().entries
    assert entry.target == stuck.target
    (reason,) = begun.dirty
    assert "cannot be removed" in reason


@dataclass(frozen=True)
class InterruptedThere(FileThere):
    """Ctrl-C comes while it is healed."""

    def heal(self, cluster: Cluster) -> None:
        signal.raise_signal(signal.SIGINT)
        super().heal(cluster)


def test_an_interrupt_during_a_heal_is_not_lost_behind_a_fault_that_does_not_heal(
    begun: Begun,
) -> None:
    """Else the session would go on to its next scenario."""
    first = InterruptedThere(begun.fault.path)
    last = FileThere(f"{begun.fault.path}-too", stuck=True)
    with (
        pytest.raises(KeyboardInterrupt) as told,
        at_once(begun.injector, [first, last], at_most_s=60, effective_within_s=10),
    ):
        pass
    assert not Path(first.path).exists()
    assert "cannot be removed" in told.value.__notes__[0]
