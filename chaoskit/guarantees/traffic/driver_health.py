"""What the driver says of itself, beside its lateness: how busy it was, and what it can send."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from chaoskit.errors import RecordError
from chaoskit.guarantees.intervals import Times, blocks
from chaoskit.guarantees.traffic.columns import TextColumn, integers, text_column
from chaoskit.guarantees.traffic.suspect import (
    BUSY_CPU_SHARE,
    SECOND_NS,
    SuspectSeconds,
    Trouble,
    by_second,
    seconds_of,
    suspect_seconds,
)
from chaoskit.history.events import Calibration, DriverHealth, LoadMark
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

Rates = TypeVar("Rates", float, NDArray[np.float64])

#: The part of what the driver was measured to send at most that a load may ask for. Above it,
#: another program on the machine is enough to make it late (design: figures to reach).
CEILING_SHARE = 0.5

#: Stands for a ceiling of 0 (no rate was sent in time): any slot is far above its half.
_NO_RATE = 1e-9


def suspect_seconds_of(history: History) -> SuspectSeconds:
    """The suspect seconds of all loads: late, above half the calibrated ceiling, or too busy.

    In a closed loop a user waits for its answer, so that lateness says nothing of the driver:
    there the first rule does not apply. Raises `RecordError` for a calibration or a measurement of
    the driver that cannot be.
    """
    return history.once(_suspect_seconds)


def _suspect_seconds(history: History) -> SuspectSeconds:
    load = text_column(history, "load")
    planned_ns, sent_ns = integers(history, "planned_ns"), integers(history, "sent_ns")
    exempt = text_column(history, "outcome").is_like("unsent")
    exempt |= np.isin(load.codes, _codes_of(load, closed_loads(history)))
    late = suspect_seconds(load.codes, planned_ns, sent_ns, exempt)
    over = late.also(_over_ceiling(history, load, planned_ns), Trouble.OVER_RATE)
    return over.also(_busy(history, load), Trouble.BUSY)


def part_of_ceiling(ceiling: Calibration, *, kept_per_s: Rates, new_per_s: Rates) -> Rates:
    """The part of what the driver can send that these rates take, numbers or arrays of them."""
    on_kept = kept_per_s / max(ceiling.kept_per_s, _NO_RATE)
    return on_kept + new_per_s / max(ceiling.new_per_s, _NO_RATE)


def closed_loads(history: History) -> set[str]:
    """The ids of the loads whose users wait for their answers."""
    return {mark.load_id for mark in history.of(LoadMark) if mark.loop == "closed"}


def _over_ceiling(history: History, load: TextColumn, planned_ns: Times) -> Times:
    """The seconds in which a load planned more than half of what its driver can send.

    A second may hold one slot more than the rate, so one is left out of the count. The sampler is
    another program, which was not calibrated.
    """
    nothing = np.zeros(0, dtype=np.int64)
    calibrations = history.of(Calibration)
    if not calibrations or not len(planned_ns):
        return nothing
    ceiling = calibrations[-1]
    if ceiling.kept_per_s < 0 or ceiling.new_per_s < 0:
        seen = ceiling.kept_per_s, ceiling.new_per_s
        raise RecordError("has a rate below 0", subject="the driver's calibration", seen=seen)
    driven = ~np.isin(load.codes, _codes_of(load, _sampler_loads(history)))
    is_new = text_column(history, "connection").is_like("new")

    def part(rows: slice) -> tuple[Times, ...]:
        mine = np.flatnonzero(driven[rows]) + rows.start
        keys = seconds_of(load.codes[mine], planned_ns[mine])
        return keys, np.ones_like(keys), is_new[mine].astype(np.int64)

    seconds, slots, new = by_second(map(part, blocks(len(planned_ns))), np.add, np.add)
    if not len(seconds):
        return nothing
    asked = part_of_ceiling(
        ceiling, kept_per_s=(slots - new).astype(np.float64), new_per_s=new.astype(np.float64)
    )
    over: Times = seconds[asked * (slots - 1) / slots > CEILING_SHARE]
    return over


def _busy(history: History, load: TextColumn) -> Times:
    """The seconds in whose middle the driver was seen to use more than its part of a core."""
    code_of = {load_id: code for code, load_id in enumerate(load.values)}
    keys: list[Times] = [np.zeros(0, dtype=np.int64)]
    for health in history.of(DriverHealth):
        if health.since_ns > health.time_ns:
            raise RecordError("ends before it begins", subject=f"health of load {health.load_id}")
        code = code_of.get(health.load_id)
        if code is None or health.cpu_share <= BUSY_CPU_SHARE:
            continue
        half = SECOND_NS // 2
        first, beyond = (-(-(at - half) // SECOND_NS) for at in (health.since_ns, health.time_ns))
        seconds = np.arange(first, beyond, dtype=np.int64)
        codes = np.full(len(seconds), code, dtype=np.int32)
        keys.append(seconds_of(codes, seconds * SECOND_NS))
    return np.unique(np.concatenate(keys))


def _sampler_loads(history: History) -> set[str]:
    own = (SAMPLER_STREAM, CONTROL_STREAM)
    return {
        mark.load_id
        for mark in history.of(LoadMark)
        if mark.streams and all(stream.startswith(own) for stream in mark.streams)
    }


def _codes_of(load: TextColumn, ids: set[str]) -> Sequence[int]:
    return [code for code, load_id in enumerate(load.values) if load_id in ids]
