"""Arrivals to replay: those of a load on record, or a file of seconds."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from chaoskit.errors import UsageError
from chaoskit.history.reader import History
from chaoskit.load.rates import Replay


def replay_of_record(record: Path, load_id: str) -> Replay:
    """The planned times of a load on record, all of its parts; the first one is the start.

    Raises `RecordError` for what is no record, `UsageError` for a load that it does not hold.
    """
    table = History.open(record).columns("load", "planned_ns")
    loads: list[str] = [str(name) for name in table["load"].to_pylist()]
    times_ns: list[Any] = table["planned_ns"].to_pylist()
    # A load driven by several processes is on record as load-1.1of2, load-1.2of2 (Part.load_id).
    whole_or_part = re.compile(re.escape(load_id) + r"(\.\d+of\d+)?")
    names = set(loads)
    chosen = {name for name in names if whole_or_part.fullmatch(name)}
    if not chosen:
        raise UsageError(
            "holds no such load",
            subject=f"record {record}",
            seen=f"asked for {load_id}, there are: {', '.join(sorted(names)) or 'none'}",
            next_step="name one of them",
        )
    return _from_first([time for load, time in zip(loads, times_ns, strict=True) if load in chosen])


def replay_of_file(path: Path) -> Replay:
    """A text file of seconds in ascending order, one number a line; the first one is the start.

    Seconds since any moment will do. Empty lines are passed over. Raises `UsageError`.
    """
    times_ns = []
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = "cannot be read as a list of seconds"
        raise UsageError(problem, subject=str(path), seen=error) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            times_ns.append(_nanoseconds(path, number, line.strip()))
    if not times_ns:
        raise UsageError("holds no number", subject=str(path), next_step="give one a line")
    return _from_first(times_ns)


def _nanoseconds(path: Path, number: int, text: str) -> int:
    try:
        return int(Decimal(text) * 1_000_000_000)
    except (InvalidOperation, OverflowError, ValueError):
        raise UsageError(
            "is no number of seconds",
            subject=f"line {number} of {path}",
            seen=repr(text[:80]),
            next_step="give one number a line, such as 12.5",
        ) from None


def _from_first(times_ns: Sequence[int]) -> Replay:
    return Replay(offsets_ns=tuple(time_ns - times_ns[0] for time_ns in times_ns))
