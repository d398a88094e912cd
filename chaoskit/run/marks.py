"""Marks: the harness's own events in the record."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from chaoskit import clock
from chaoskit.history.events import FaultMark, Note, PhaseMark, StepMark
from chaoskit.history.writer import EventWriter
from chaoskit.run.effect import FaultMoment
from chaoskit.workloads.ref import ObjectRef


class Marks:
    """Writes what the harness and the operator under test do. It is the StepLog of workloads."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer
        self._numbers = itertools.count(1)

    def new_id(self, name: str) -> str:
        """An id unique in this run."""
        return f"{name}-{next(self._numbers)}"

    def fault(
        self, fault_id: str, name: str, target: str, mark: FaultMoment, detail: str = ""
    ) -> None:
        """A moment in the life of a fault, now."""
        self._writer.append(
            FaultMark(
                time_ns=clock.now_ns(),
                fault_id=fault_id,
                name=name,
                target=target,
                mark=mark,
                detail=detail,
            )
        )

    def note(self, level: Literal["info", "warning", "error"], text: str) -> None:
        """Something a reader of the record should know."""
        self._writer.append(Note(time_ns=clock.now_ns(), source="run", level=level, text=text))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A named span of the run."""
        self._writer.append(PhaseMark(time_ns=clock.now_ns(), phase=name, mark="begin"))
        try:
            yield
        finally:
            self._writer.append(PhaseMark(time_ns=clock.now_ns(), phase=name, mark="end"))

    @contextmanager
    def step(
        self, name: str, target: ObjectRef, *, force: bool = False, detail: str = ""
    ) -> Iterator[None]:
        """An operator's action under test: marked when it starts, and when it is done or failed."""
        step_id = self.new_id(name)

        def mark(moment: Literal["started", "done", "failed"], text: str) -> None:
            self._writer.append(
                StepMark(
                    time_ns=clock.now_ns(),
                    step_id=step_id,
                    name=name,
                    target=target.kind_and_name,
                    mark=moment,
                    detail=text,
                    force=force,
                )
            )

        mark("started", detail)
        try:
            yield
        except BaseException as error:
            mark("failed", f"{type(error).__name__}: {error}")
            raise
        mark("done", detail)
