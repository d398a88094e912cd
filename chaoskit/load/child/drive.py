"""One part of a load from its first mark to its summary, inside the child."""

import logging
from collections.abc import Callable
from contextlib import nullcontext

import gevent

from chaoskit.load.child.control import Control
from chaoskit.load.child.load import CannotDrive, Load
from chaoskit.load.child.locust_load import LocustLoad
from chaoskit.load.child.locustfile import locustfile_users
from chaoskit.load.child.planned_users import planned_users
from chaoskit.load.child.record import LoadRecord, Mark
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.messages import Begin, Failed, LoadSummary, Stop
from chaoskit.load.profile import LoadPlan
from chaoskit.load.schedule import streams_of
from chaoskit.load.steady import SteadyGate, UserGate
from chaoskit.priority import before_all_others

_log = logging.getLogger(__name__)
_TICK_S = 0.25
_TICKS_A_SECOND = 4
_TICKS_AT_FIRST = 12
#: Without a driver nobody waits for the answers: little time to drain, then seal and go.
_ORPHAN_DRAIN_S = 0.3


class Drive:
    """One load under way in this process. Raises `CannotDrive` for one that cannot begin."""

    def __init__(self, begin: Begin, control: Control, record: LoadRecord) -> None:
        self._control = control
        self._record = record
        self._plan = begin.plan
        self._turn = begin.turn
        self._was_steady = False
        self.orphaned = False
        self._load, self._tallies = _prepared(begin, record, self._mark_stopping)

    def run(self) -> LoadSummary:
        """Drive until told to stop, abandoned, or over; then drain. The record is still open."""
        self._record.pair_clocks()
        self._mark("started", f"seed {self._plan.seed}, {self._plan.described}")
        tasks = [gevent.spawn(self._guarded, task) for task in (self._obey, self._tick)]
        try:
            self._load.start()
            ended_by = self._load.run_to_end()
        finally:
            gevent.killall(tasks)
        summary = self._tallies.summary(self._plan.load_id, ended_by)
        self._record.health(self._tallies.event(in_flight=0))
        self._record.pair_clocks()
        self._mark("stopped", described(summary))
        self._control.say(self._tallies.health(in_flight=0, unserved=self._load.unserved))
        return summary

    def _guarded(self, task: Callable[[], None]) -> None:
        """Run a background task; what breaks it ends the load instead of being printed."""
        try:
            task()
        except Exception as error:
            self._load.fail(error)

    def _obey(self) -> None:
        while (message := self._control.next()) is not None:
            if isinstance(message, Stop) and message.turn == self._turn:
                self._load.stop(until_ns=message.until_ns)
                return
            _log.info("in turn %d, ignoring %s", self._turn, type(message).__name__)
        self.orphaned = True
        self._load.stop(drain_s=_ORPHAN_DRAIN_S)

    def _mark_stopping(self) -> None:
        self._mark("stopping", "the driver's process is gone" if self.orphaned else "")

    def _tick(self) -> None:
        tick = 0
        self._tell_health()
        while True:
            gevent.sleep(_TICK_S)
            tick += 1
            self._record.seal_if_due()
            changed = self._tallies.update_steady()
            if changed and self._tallies.steady and not self._was_steady:
                self._was_steady = True
                self._mark("steady", "")
            a_second = tick % _TICKS_A_SECOND == 0
            if a_second:
                self._record.health(self._tallies.event(in_flight=self._load.in_flight))
            # Oftener at first: somebody waits to see that it has begun.
            if changed or a_second or tick < _TICKS_AT_FIRST:
                self._tell_health()

    def _tell_health(self) -> None:
        self._control.say(
            self._tallies.health(in_flight=self._load.in_flight, unserved=self._load.unserved)
        )

    def _mark(self, mark: Mark, detail: str) -> None:
        self._record.mark(
            mark, planned=self._tallies.planned, detail=detail, streams=self._tallies.streams
        )


def drive(begin: Begin, control: Control) -> LoadSummary | Failed | None:
    """Drive one load and say what became of it; None if the driver's process went away."""
    ended: LoadSummary | Failed
    orphaned = False
    # Users may ask without a pause, and a locustfile's code may never rest: a rate has a bound.
    is_bounded = isinstance(begin.plan, LoadPlan)
    with LoadRecord(begin) as record, before_all_others() if is_bounded else nullcontext():
        try:
            load = Drive(begin, control, record)
            ended = load.run()
            orphaned = load.orphaned
            _log.info("%s", described(ended))
        except CannotDrive as error:
            ended = Failed(
                turn=begin.turn, problem=error.problem, seen=error.seen, next_step=error.next_step
            )
            _log.error("%s: %s", error.problem, error.seen)
    control.say(ended)
    return None if orphaned else ended


def _prepared(
    begin: Begin, record: LoadRecord, on_stopping: Callable[[], None]
) -> tuple[Load, Tallies]:
    plan, part = begin.plan, begin.part
    if isinstance(plan, LoadPlan):
        streams = [stream.name for stream in streams_of(plan, part)]
        tallies = Tallies(begin.turn, record.load_id, streams, SteadyGate())
        return LocustLoad(plan, part, tallies, record.slot, on_stopping), tallies
    gate = UserGate(part.number_of(plan.users), plan.steady_window_s)
    tallies = Tallies(begin.turn, record.load_id, [], gate)
    if isinstance(plan, ClosedPlan):
        return planned_users(plan, part, tallies, gate, record.slot, on_stopping), tallies
    return locustfile_users(plan, tallies, gate, record, on_stopping), tallies


def described(summary: LoadSummary) -> str:
    """For people."""
    return (
        f"ended by {summary.ended_by}: {summary.planned} planned, {summary.ok} ok, "
        f"{summary.fail} fail, {summary.unknown} unknown, {summary.unsent} unsent, "
        f"lag p99 {summary.lag_p99_ms:.1f} ms"
    )
