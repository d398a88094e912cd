"""One process's part of a load under way, as the harness sees it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from chaoskit import clock
from chaoskit.errors import LoadError, UsageError
from chaoskit.history.events import LoadMark
from chaoskit.history.folder import RecordFolder
from chaoskit.history.writer import EventWriter
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.messages import (
    Begin,
    Failed,
    FromChild,
    Health,
    LoadSummary,
    Plan,
    Stop,
)
from chaoskit.load.part import Part
from chaoskit.load.profile import LoadPlan

#: Several processes begin at one moment; it lies so far ahead that all have their plan by then.
_LEAD_NS = 1_000_000_000


class Child(Protocol):
    """A process that drives parts of loads, wherever it runs."""

    #: Where it logs; set when it is told to drive something.
    log_path: Path | None

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def fileno(self) -> int:
        """What `select` looks at to see whether it has said something."""
        ...

    def send(self, message: Begin | Stop) -> None:
        """Hand it a message without waiting. Raises `LoadError` if it cannot take it."""
        ...

    def receive(self, timeout_s: float) -> FromChild | None:
        """Its next message; None if none came in time. Raises `LoadError` once it is dead."""
        ...

    def death(self, problem: str) -> LoadError:
        """The error that tells how it ended."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class DrivenPart:
    """What one process was told to drive, and what it has said of it.

    It has ended when there is a `summary` or a `death`; a death is marked in the record.
    """

    def __init__(self, child: Child, begin: Begin, record_folder: Path) -> None:
        self._child = child
        self._begin = begin
        self._record_folder = record_folder
        self.health: Health | None = None
        self.summary: LoadSummary | None = None
        self.death: LoadError | None = None

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether it was seen to have stopped or died."""
        return self.summary is not None or self.death is not None

    def fileno(self) -> int:
        """For `select`."""
        return self._child.fileno()

    def begin(self) -> None:
        """Tell the child to begin."""
        self._tell(self._begin)

    def stop(self, until_ns: int) -> None:
        """Tell the child to stop at that moment (0: now), unless it has ended."""
        self.take_in()
        if not self.ended:
            self._tell(Stop(turn=self._begin.turn, until_ns=until_ns))

    def take_in(self) -> None:
        """Take in all that the child has said, without waiting."""
        while not self.ended:
            try:
                message = self._child.receive(0.0)
            except LoadError as error:
                self._die(error)
                return
            if message is None:
                return
            self._understand(message)

    def give_up(self, problem: str) -> None:
        """End a child that does not end by itself."""
        self._child.close()
        self._die(self._child.death(problem))

    def _understand(self, message: FromChild) -> None:
        turn = self._begin.turn
        if isinstance(message, Health) and message.turn == turn:
            self.health = message
        elif isinstance(message, LoadSummary) and message.turn == turn:
            self.summary = message
        elif isinstance(message, Failed) and message.turn == turn:
            self._die(
                LoadError(
                    message.problem,
                    subject=f"load {self._begin.plan.load_id}",
                    seen=message.seen,
                    next_step=message.next_step,
                )
            )

    def _tell(self, message: Begin | Stop) -> None:
        try:
            self._child.send(message)
        except LoadError as error:
            self._die(error)

    def _die(self, error: LoadError) -> None:
        self.death = error
        plan = self._begin.plan
        part = self._begin.part
        name = part.load_id(plan.load_id)
        mark = LoadMark(
            time_ns=clock.now_ns(),
            load_id=name,
            mark="died",
            rate_per_s=plan.highest_rate_per_s / part.count if isinstance(plan, LoadPlan) else 0.0,
            streams=[stream.name for stream in plan.streams],
            planned=self.health.planned if self.health is not None else 0,
            detail=error.problem,
            loop="open" if isinstance(plan, LoadPlan) else "closed",
        )
        path = RecordFolder(self._record_folder).new_events_file(f"driver-{name}")
        with EventWriter(path) as events:
            events.append(mark)


def parts_of(
    plan: Plan, children: Sequence[Child], *, turn: int, record_folder: Path, log_path: Path
) -> list[DrivenPart]:
    """A part of `plan` for each of the children, all with one origin; no user is without work.

    Raises `UsageError` for a folder that is not there.
    """
    for folder in (record_folder, log_path.parent):
        if not folder.is_dir():
            raise UsageError("is not a folder", subject=str(folder), next_step="create it")
    if isinstance(plan, ClosedPlan):
        children = children[: plan.users]
    origin_ns = clock.now_ns() + _LEAD_NS if len(children) > 1 else 0
    parts = []
    for index, child in enumerate(children):
        part = Part(index=index, count=len(children), origin_ns=origin_ns)
        child.log_path = log_path.with_name(part.load_id(log_path.stem) + log_path.suffix)
        begin = Begin(
            turn=turn,
            plan=plan,
            record_folder=str(record_folder.absolute()),
            log_path=str(child.log_path.absolute()),
            part=part,
        )
        parts.append(DrivenPart(child, begin, record_folder))
    return parts
