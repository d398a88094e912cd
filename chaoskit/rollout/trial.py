"""Trying a rollout at some place, and writing down what came of it."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from chaoskit import clock
from chaoskit.cluster.launch.interrupts import sigterm_raises
from chaoskit.errors import ChaoskitError
from chaoskit.history.session import ScenarioOutcome, SessionScenario, slug_of
from chaoskit.rollout.course import Concluded, Course, Say, Stage
from chaoskit.rollout.prepared import Prepared
from chaoskit.run import Run
from chaoskit.run.book import SessionBook

ROWS = ("X1",)


class Place(Protocol):
    """Where a rollout is tried: a throw-away cluster, or one that is there."""

    def stage(self) -> Stage:
        """Make ready what is rolled out. Raises `ChaoskitError`s."""
        ...

    def begin(self, *, nodeid: str, title: str, description: str, rows: Sequence[str]) -> Run:
        """Start recording."""
        ...

    def collect_logs(self, nodeid: str) -> None:
        """Keep what explains a failure."""
        ...

    def close(self) -> None:
        """End what was started, take back what was made."""
        ...


def roll_out(prepared: Prepared, place: Place, book: SessionBook, say: Say) -> Concluded:
    """Roll out under load, judge, and note it in the book.

    Raises `ChaoskitError`s for what kept it from being tried; the book then says so.
    """
    asked = prepared.asked
    nodeid = f"rollout::{asked.namespace}/{asked.ref.kind}-{asked.ref.name}"
    began_ns = clock.now_ns()
    outcome: ScenarioOutcome = "UNKNOWN"
    reason = "interrupted before it ended"
    run: Run | None = None
    with sigterm_raises(), ExitStack() as ends:
        ends.callback(place.close)
        try:
            stage = place.stage()
            run = place.begin(
                nodeid=nodeid,
                title=f"{asked.ref} rolled out under load: {asked.change}",
                description=prepared.description,
                rows=ROWS,
            )
            ends.callback(run.close)
            course = Course(asked, prepared.promised, stage, prepared.after, say)
            concluded = course.go(run, prepared.rollout.within_s)
            outcome, reason = concluded.judgement.outcome.value, concluded.ended.problem
            return concluded
        except ChaoskitError as error:
            reason = str(error)
            place.collect_logs(nodeid)
            raise
        finally:
            if run is not None:
                book.conclude(
                    SessionScenario(
                        slug=slug_of(nodeid),
                        nodeid=nodeid,
                        outcome=outcome,
                        rows=list(ROWS),
                        reason=reason,
                        wall_s=(clock.now_ns() - began_ns) / 1e9,
                        title=f"{asked.ref}: {asked.change}",
                        doc=prepared.description,
                    )
                )
