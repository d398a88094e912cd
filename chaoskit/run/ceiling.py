"""What a run's driver was measured to send at most, measured again where a load asks for more."""

from collections.abc import Callable
from typing import Protocol

from chaoskit.guarantees.traffic.driver_health import CEILING_SHARE, part_of_ceiling
from chaoskit.history.events import Calibration
from chaoskit.load.profile import LoadPlan
from chaoskit.run.marks import Marks


class Measured(Protocol):
    """A driver that is measured when first asked for, and a few times more."""

    def calibration(self) -> Calibration:
        """What it can send at most."""
        ...

    def calibrate_again(self) -> Calibration | None:
        """The same, measured anew; None where that was done often enough."""
        ...


class Ceiling:
    """The calibration on record, and a second chance for it.

    Its first measurement may fall into a moment in which the machine is busy with something else,
    such as the start of a cluster. Every second of a load above half of it is suspect, so one
    that asks for that has it measured again before it begins. Without `measured` nothing is done.
    """

    def __init__(
        self, measured: Measured | None, marks: Marks, append: Callable[[Calibration], object]
    ) -> None:
        self._measured = measured
        self._known: Calibration | None = None
        self._marks = marks
        self._append = append

    def begin(self) -> None:
        """Put on record what was measured. Raises `LoadError`, `WaitTimeout`."""
        if self._measured is not None:
            self._known = self._measured.calibration()
            self._append(self._known)

    def allow_for(self, plan: LoadPlan) -> None:
        """Measure again if `plan` asks for more than may be asked of the known ceiling.

        Raises `LoadError`, `WaitTimeout`.
        """
        if self._measured is None or self._known is None:
            return
        if _part_of(self._known, plan) <= CEILING_SHARE:
            return
        found = self._measured.calibrate_again()
        if found is None:
            return
        self._marks.note(
            "info",
            f"load {plan.load_id} asks for more than half of what the driver was measured to send "
            f"({_rates(self._known)}): measured again: {_rates(found)}",
        )
        self._known = found
        self._append(found)


def _part_of(ceiling: Calibration, plan: LoadPlan) -> float:
    rates = {"kept": 0.0, "new": 0.0}
    for stream in plan.streams:
        rates[stream.connection] += plan.stream_rate_per_s(stream)
    return part_of_ceiling(ceiling, kept_per_s=rates["kept"], new_per_s=rates["new"])


def _rates(calibration: Calibration) -> str:
    return f"{calibration.kept_per_s:g}/s kept, {calibration.new_per_s:g}/s new"
