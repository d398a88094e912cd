"""Several faults: at once, again and again, or on a schedule."""

import heapq
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chaoskit import clock
from chaoskit.errors import FaultError, UsageError
from chaoskit.faults.fault import Fault
from chaoskit.run.injection import Injection, Injector

#: Lets so many seconds pass, and ends early by raising when something that runs beside has died.
Passing = Callable[[float], None]


@dataclass(frozen=True)
class Planned:
    """One fault of a plan: injected `at_s` after its start, healed `for_s` later."""

    fault: Fault
    at_s: float
    for_s: float

    def __post_init__(self) -> None:
        if self.at_s < 0 or self.for_s <= 0:
            raise UsageError(
                "cannot be planned so",
                subject=f"fault {self.fault.name} on {self.fault.target}",
                seen=f"at_s={self.at_s:g}, for_s={self.for_s:g}",
                next_step="at_s from 0 on, for_s above 0",
            )


@contextmanager
def at_once(
    injector: Injector,
    faults: Sequence[Fault],
    *,
    at_most_s: float,
    effective_within_s: float,
    allow: Collection[str] = (),
) -> Iterator[None]:
    """A context in which all of these are in effect, injected in their order, healed in reverse."""
    if not faults or at_most_s <= 0:
        raise UsageError(
            "nothing to inject" if not faults else "lasts no time",
            subject="inject",
            seen=f"{len(faults)} faults, at_most_s={at_most_s:g}",
        )
    with injector.all_ended() as begun:
        for fault in faults:
            begun.append(injector.begin(fault, at_most_s=at_most_s, allow=allow))
        for injection in begun:
            injection.wait_effective(effective_within_s)
        yield


def flap(
    injector: Injector,
    fault: Fault,
    *,
    down_s: float,
    up_s: float,
    times: int,
    effective_within_s: float,
    let_pass: Passing,
    allow: Collection[str] = (),
) -> None:
    """Inject and heal it so many times; down for `down_s` from when it was seen in effect."""
    if times < 1 or down_s <= 0 or up_s < 0:
        raise UsageError(
            "cannot flap so",
            subject=f"fault {fault.name} on {fault.target}",
            seen=f"down_s={down_s:g}, up_s={up_s:g}, times={times}",
            next_step="down_s above 0, up_s from 0 on, times from 1 on",
        )
    for number in range(times):
        with at_once(
            injector,
            [fault],
            at_most_s=down_s + effective_within_s,
            effective_within_s=effective_within_s,
            allow=allow,
        ):
            let_pass(down_s)
        if number < times - 1:
            let_pass(up_s)


def play(
    injector: Injector,
    plan: Sequence[Planned],
    *,
    let_pass: Passing,
    allow: Collection[str] = (),
) -> None:
    """Inject and heal what is planned, each at its time; returns when the last is healed.

    A fault that is slow to take effect does not delay the others: its effect is asked for when
    its time is over. Raises `FaultError` for one that was not seen in effect by then.
    """
    if not plan:
        raise UsageError("there is nothing in it", subject="plan")
    started_ns = clock.now_ns()
    due = [(planned.at_s, number, "inject") for number, planned in enumerate(plan)]
    heapq.heapify(due)
    open_now: dict[int, Injection] = {}
    with injector.all_ended() as begun:
        while due:
            at_s, number, what = heapq.heappop(due)
            let_pass(max(at_s - (clock.now_ns() - started_ns) / 1e9, 0.0))
            planned = plan[number]
            if what == "inject":
                injection = injector.begin(planned.fault, at_most_s=planned.for_s, allow=allow)
                begun.append(injection)
                open_now[number] = injection
                since_s = (clock.now_ns() - started_ns) / 1e9
                # From when it was injected: a plan that is late shortens no fault.
                heapq.heappush(due, (max(at_s, since_s) + planned.for_s, number, "heal"))
            else:
                injection = open_now.pop(number)
                _require_seen(injection)
                injection.end()


def _require_seen(injection: Injection) -> None:
    try:
        injection.wait_effective(0.0)
    except FaultError as error:
        injection.end(error)
        raise


def let_pass(seconds: float) -> None:
    """Let time pass where nothing runs beside that could die."""
    threading.Event().wait(seconds)
