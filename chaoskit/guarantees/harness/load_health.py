"""Whether the load driver itself can be believed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_requests
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.intervals import Mask, Times, counted, touching
from chaoskit.guarantees.traffic.columns import TextColumn, integers, text_column
from chaoskit.guarantees.traffic.driver_health import closed_loads, suspect_seconds_of
from chaoskit.guarantees.traffic.selection import spans_of
from chaoskit.guarantees.traffic.suspect import LATE_NS, SuspectSeconds, seconds_in
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Calibration
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

#: Above this share of failures on control streams the client itself is in trouble (1 % of a run).
_CONTROL_FAILURES = 0.01

#: Above this share of harness-suspect seconds the run as a whole says too little.
SUSPECT_SHARE = 0.01

#: So many suspect seconds are named one by one.
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class LoadWasEnough:
    """The driver sent what it planned, when it planned it. Never VIOLATED: it is about us.

    Claims: 99 % of the requests of the whole run were sent at most `lag_at_most_s` after their
    planned time (a fault delays answers, not the driver), at most `suspect_at_most` of its seconds
    are harness-suspect, outside all faults at most `unsent_at_most` of the slots were unsent,
    control streams hardly failed, and at least `minimum_requests` were planned. In a closed loop
    there is no schedule to be late for: the title says so. One suspect second is always allowed:
    whole seconds cannot measure 1 % of a run shorter than 100 s.
    Unknown when: one of these is not so, a load died, or requests may be missing.
    """

    minimum_requests: int
    unsent_at_most: float
    lag_at_most_s: float
    suspect_at_most: float = SUSPECT_SHARE

    name: ClassVar[str] = "load_was_enough"
    version: ClassVar[int] = 3

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        driven = _driven(history)
        loop = ", closed loop" if driven.is_closed.any() else ""
        found = Findings(title=f"the load was enough to conclude from{loop}")
        found.doubt(*incomplete_loads(history), *lost_requests(history, None, None))
        total = int(np.count_nonzero(driven.by_users))
        found.coverage |= {"requests": total, "calibrated": int(bool(history.of(Calibration)))}
        if total < max(1, self.minimum_requests):
            found.doubt(f"{total} requests are too few ({self.minimum_requests} needed)")
        self._judge_unsent(found, history, driven)
        self._judge_lag(found, driven)
        self._judge_suspect_seconds(found, history, driven)
        _judge_control(found, driven)
        found.summary = f"{total} requests{loop}"
        return conclude(self, found)

    def _judge_unsent(self, found: Findings, history: History, driven: "_Driven") -> None:
        planned = driven.planned_ns
        calm = driven.by_users & ~touching(planned, planned, spans_of(fault_windows(history)))
        found.coverage["outside faults"] = int(np.count_nonzero(calm))
        if not calm.any():
            return
        unsent = float(np.mean(driven.unsent[calm]))
        found.figures["unsent_share"] = unsent
        if unsent > self.unsent_at_most:
            found.doubt(f"{unsent:.2%} of the slots outside faults were not sent")

    def _judge_lag(self, found: Findings, driven: "_Driven") -> None:
        on_wire = driven.of_driver & ~driven.is_closed & (driven.sent_ns >= 0)
        if not on_wire.any():
            return
        lag_ns = (driven.sent_ns - driven.planned_ns)[on_wire]
        lag_s = float(np.quantile(lag_ns, 0.99, overwrite_input=True)) / 1e9
        found.figures["lag_p99_s"] = lag_s
        if lag_s > self.lag_at_most_s:
            found.doubt(
                f"the driver was late: 1 % of the requests were sent {lag_s * 1e3:.0f} ms or"
                f" more after their planned time, where {self.lag_at_most_s * 1e3:g} ms are"
                " allowed; the machine was too busy for this load"
            )

    def _judge_suspect_seconds(self, found: Findings, history: History, driven: "_Driven") -> None:
        loads, planned = driven.load.codes[driven.of_driver], driven.planned_ns[driven.of_driver]
        suspect = suspect_seconds_of(history).touched_by(loads, planned, planned)
        seconds = len(seconds_in(loads, planned))
        found.coverage |= {
            "seconds with requests": seconds,
            "harness-suspect seconds": len(suspect),
        }
        if len(suspect) > max(1, self.suspect_at_most * seconds):
            when = _named(suspect, planned)
            found.doubt(
                f"{len(suspect)} of {seconds} seconds are harness-suspect ({when}):"
                f" {suspect.in_words()}"
            )


def load_was_enough(
    *,
    minimum_requests: int = 100,
    unsent_at_most: float = 0.001,
    lag_at_most_s: float = LATE_NS / 1e9,
    suspect_at_most: float = SUSPECT_SHARE,
) -> LoadWasEnough:
    """The driver sent what it planned, when it planned it; see `LoadWasEnough`."""
    return LoadWasEnough(
        minimum_requests=minimum_requests,
        unsent_at_most=unsent_at_most,
        lag_at_most_s=lag_at_most_s,
        suspect_at_most=suspect_at_most,
    )


@dataclass(frozen=True, kw_only=True)
class _Driven:
    """All requests, and what each of them says about the driver.

    `by_users`: neither a control stream's nor the sampler's. `of_driver`: of a load that has such
    requests. `is_closed`: of a closed loop.
    """

    load: TextColumn
    planned_ns: Times
    sent_ns: Times
    unsent: Mask
    ok: Mask
    control: Mask
    by_users: Mask
    of_driver: Mask
    is_closed: Mask


def _driven(history: History) -> _Driven:
    load, stream, outcome = (text_column(history, name) for name in ("load", "stream", "outcome"))
    control = stream.is_like(f"{CONTROL_STREAM}*")
    by_users = ~control & ~stream.is_like(f"{SAMPLER_STREAM}*")
    driven = np.flatnonzero(counted(load.codes[by_users], len(load.values)))
    closed = closed_loads(history)
    return _Driven(
        load=load,
        planned_ns=integers(history, "planned_ns"),
        sent_ns=integers(history, "sent_ns"),
        unsent=outcome.is_like("unsent"),
        ok=outcome.is_like("ok"),
        control=control,
        by_users=by_users,
        of_driver=np.isin(load.codes, driven),
        is_closed=np.isin(load.codes, [c for c, name in enumerate(load.values) if name in closed]),
    )


def _named(suspect: SuspectSeconds, planned_ns: Times) -> str:
    """The first few of them, in seconds from the first request."""
    from_start_s = (suspect.starts_ns() - int(planned_ns.min())) / 1e9
    first = ", ".join(f"{max(0.0, second):.0f} s" for second in from_start_s[:_NAMED])
    return f"at {first}{', …' if len(from_start_s) > _NAMED else ''}"


def _judge_control(found: Findings, driven: _Driven) -> None:
    if not driven.control.any():
        return
    failed = 1 - float(np.mean(driven.ok[driven.control]))
    found.figures["control_failed_share"] = failed
    if failed > _CONTROL_FAILURES:
        found.doubt(f"{failed:.1%} failed on control streams, which no fault touches")
