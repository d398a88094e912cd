"""Steps that a fault makes fail, and that are done without it."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import Step, Subject, name_of, steps
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class StepsFail:
    """While a fault is there a step cannot be done; without it it can.

    Claims: each step of the name `step` on `target` that begins between the injection of `fault`
    and the moment when it is to be healed fails, and each that begins outside of its windows is
    done.
    Violated when: one is done during it, or fails outside.
    Unknown when: none was tried during it, or none outside (the step might never work), one has no
    end on record, the fault was never injected or not proved in effect, or events may be missing.
    """

    step: str
    target: str
    fault: str

    name: ClassVar[str] = "steps_fail"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.step} of {self.target} fails during {self.fault}")
        windows = fault_windows(history, self.fault)
        found.doubt(*fault_doubts(windows, self.fault), *lost_events(history, None, None))
        inside: list[Step] = []
        outside: list[Step] = []
        for one in steps(history, self.step, self.target):
            if not one.failed and one.done_ns is None:
                found.doubt(f"the record has no end of the step {self.step}")
            elif any(
                (w.injected_ns or w.requested_ns) <= one.started_ns
                and one.started_ns <= (w.heal_requested_ns or w.end_ns)
                for w in windows
            ):
                inside.append(one)
            elif not any(w.contains(one.started_ns) for w in windows):
                outside.append(one)
        for one in inside:
            if not one.failed:
                text = f"{self.step} of {self.target} was done during {self.fault}"
                found.violate(one.started_ns, text, self.target)
        for one in outside:
            if one.failed:
                text = f"{self.step} of {self.target} failed without {self.fault}"
                found.violate(one.started_ns, text, self.target)
        found.coverage |= {"tried during the fault": len(inside), "tried outside": len(outside)}
        found.summary = f"{len(inside)} failed during it, {len(outside)} were done outside"
        if not inside:
            found.doubt(f"{self.step} was not tried during {self.fault}")
        if not outside:
            found.doubt(f"{self.step} was not tried without {self.fault}")
        return conclude(self, found)


def steps_fail(step: str, target: Subject, *, fault: str) -> StepsFail:
    """A step cannot be done while a fault is there; see `StepsFail`."""
    return StepsFail(step=step, target=name_of(target), fault=fault)
