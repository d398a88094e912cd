"""A load under way: wait until it is steady, let it run, stop it.

Nothing waits for the children but the functions named wait, run and stop, each with a deadline.
"""

import contextlib
import select
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self

from chaoskit import clock
from chaoskit.errors import LoadError, UsageError, WaitTimeout
from chaoskit.load.driven import DrivenPart
from chaoskit.load.merged import merged_health, merged_summary
from chaoskit.load.messages import Health, LoadSummary, Plan
from chaoskit.load.profile import LoadPlan

if TYPE_CHECKING:  # the standard library's has no default before Python 3.13
    from typing_extensions import TypeVar

    PlanT_co = TypeVar("PlanT_co", bound=Plan, covariant=True, default=LoadPlan)
else:
    from typing import TypeVar

    PlanT_co = TypeVar("PlanT_co", covariant=True)

#: What a child may take to stop beyond its drain: cutting off, sealing, telling.
_STOP_MARGIN_S = 15.0
#: Several children stop at one moment; it lies so far ahead that all know of it by then.
_STOP_LEAD_NS = 250_000_000
#: Health is told once a second; older than this it says nothing about now.
_FRESH_NS = 2_500_000_000
_STEP_S = 0.1


class RunningLoad(Generic[PlanT_co]):
    """A load under way, in one process or several. As a context it is stopped at the end.

    Every method that waits raises `LoadError` as soon as a child is seen to have died, or to have
    ended by itself, as at the plan's `max_run_s`; a death is marked in the record. The others go
    on until the load is stopped.
    """

    def __init__(self, plan: PlanT_co, parts: Sequence[DrivenPart]) -> None:
        self.plan = plan
        self._parts = parts
        self._at_end: Callable[[], None] | None = None
        self._started_ns = clock.now_ns()

    @property
    def pid(self) -> int:
        """Process id of the child; of the first of several."""
        return self.pids[0]

    @property
    def pids(self) -> list[int]:
        """Process ids of all children."""
        return [part.pid for part in self._parts]

    @property
    def health(self) -> Health | None:
        """What the children said last, taken together; None until all have said something."""
        return merged_health([part.health for part in self._parts])

    @property
    def summary(self) -> LoadSummary | None:
        """What became of the slots; None until all children have said it."""
        return merged_summary([part.summary for part in self._parts])

    @property
    def ended(self) -> bool:
        """Whether every part was seen to have stopped or died."""
        return all(part.ended for part in self._parts)

    def begin(self, *, begun_within_s: float | None) -> None:
        """Tell the children to begin; wait until they have, or do not wait (None).

        Raises `WaitTimeout`, or `LoadError` when one cannot; then nothing of it runs on.
        """
        try:
            for part in self._parts:
                part.begin()
            self._raise_death()
            if begun_within_s is not None:
                self._wait(self._has_begun, "the load to begin", "read its log", begun_within_s)
        except BaseException:
            with contextlib.suppress(LoadError):
                self.stop()
            raise

    def at_end(self, do: Callable[[], None]) -> None:
        """Do this once the load has ended, in place of what was to be done before."""
        self._at_end = do

    def wait_steady(self, *, timeout_s: float) -> None:
        """Wait until the load is steady (load/steady.py): in open loop, every stream has had its
        answers at about the planned rate for 1.5 s; in closed loop, every user was served of late.

        May be called again later, say after a heal. Raises `WaitTimeout` with what each stream
        had reached.
        """
        self._wait(
            self._is_steady,
            "steady answers on every stream",
            "see whether each stream's address answers; lower the rate if unsent",
            timeout_s,
            running=True,
        )

    def run_for(self, *, seconds: float) -> None:
        """Let the load run for so long."""
        end_ns = clock.now_ns() + int(seconds * 1e9)
        while (left_ns := end_ns - clock.now_ns()) > 0:
            self._take_in(min(left_ns / 1e9, _STEP_S))
            self._require_running()

    def stop(self) -> LoadSummary:
        """Plan no more slots, wait for the answers in flight, seal the record; idempotent.

        Raises `LoadError` if a child died before it could say what became of its slots; the
        others have been stopped by then.
        """
        try:
            if not self.ended:
                self._stop_parts()
        finally:
            self._end()
        self._raise_death()
        summary = self.summary
        assert summary is not None  # every part has ended, and none has died
        return summary

    def _stop_parts(self) -> None:
        started_ns = clock.now_ns()
        until_ns = started_ns + _STOP_LEAD_NS if len(self._parts) > 1 else 0
        for part in self._parts:
            part.stop(until_ns)
        allowed_s = self.plan.drain_s + _STOP_MARGIN_S
        while waiting := [part for part in self._parts if not part.ended]:
            if (clock.now_ns() - started_ns) / 1e9 > allowed_s:
                for part in waiting:
                    part.give_up(f"did not stop within {allowed_s:.0f} s")
            self._listen(_STEP_S)

    def _wait(
        self,
        condition: Callable[[], bool],
        what: str,
        next_step: str,
        timeout_s: float,
        *,
        running: bool = False,
    ) -> None:
        started_ns = clock.now_ns()
        while not condition():
            spent_s = (clock.now_ns() - started_ns) / 1e9
            if spent_s > timeout_s:
                raise WaitTimeout(
                    f"waited for {what}",
                    subject=f"load {self.plan.load_id}",
                    seen=_described(self.health),
                    spent_s=spent_s,
                    next_step=next_step,
                )
            self._take_in(_STEP_S)
            if running:
                self._require_running()

    def _has_begun(self) -> bool:
        return self.health is not None or self.summary is not None

    def _is_steady(self) -> bool:
        health = self.health
        return health is not None and health.steady and clock.now_ns() - health.time_ns < _FRESH_NS

    def _take_in(self, timeout_s: float) -> None:
        """Take in what the children have said; wait up to `timeout_s` for something."""
        self._raise_death()
        self._listen(timeout_s)
        self._raise_death()

    def _listen(self, timeout_s: float) -> None:
        live = [part for part in self._parts if not part.ended]
        # One whose process was closed under it has nothing more to say, and no descriptor.
        select.select([part for part in live if part.fileno() >= 0], [], [], timeout_s)
        for part in live:
            part.take_in()
        if self.ended:
            self._end()

    def _raise_death(self) -> None:
        for part in self._parts:
            if part.death is not None:
                raise part.death

    def _require_running(self) -> None:
        for part in self._parts:
            if part.summary is not None:
                raise LoadError(
                    "has already ended",
                    subject=f"load {self.plan.load_id}",
                    seen=f"ended by {part.summary.ended_by}",
                    spent_s=(clock.now_ns() - self._started_ns) / 1e9,
                    next_step=f"raise max_run_s ({self.plan.max_run_s:.0f} s) if it ran out",
                )

    def _end(self) -> None:
        do, self._at_end = self._at_end, None
        if do is not None:
            do()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop_at_exit(self.stop, error)


def stop_at_exit(stop: Callable[[], object], error: BaseException | None) -> None:
    """End a context by `stop`; its `LoadError` is a note where `error` already ends the context."""
    try:
        stop()
    except LoadError as trouble:
        if error is None:
            raise
        if trouble is not error:
            error.add_note(f"while that happened: {trouble}")


def require_idle(plan: Plan, running: "RunningLoad[Plan] | None") -> None:
    """Raises `UsageError` when `plan` is to be driven by what still drives another load."""
    if running is not None and not running.ended:
        raise UsageError(
            "this driver drives another load",
            subject=f"load {plan.load_id}",
            seen=f"load {running.plan.load_id} is running",
            next_step="stop that one first, or prepare a second driver",
        )


def _described(health: Health | None) -> str:
    if health is None:
        return "the load's process has said nothing yet"
    streams = (
        f"{name}: {stream.ok} ok of {stream.planned}"
        + (f", last {stream.last_error}" if stream.last_error else "")
        for name, stream in health.streams.items()
    )
    unserved = [f"{health.unserved} users not served of late"] if health.unserved else []
    return "; ".join([*streams, *unserved, f"{health.unsent} unsent"])
