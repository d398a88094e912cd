"""Outages of each stream, dated and bounded as the guarantees date them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.traffic.gaps import Gap, StreamSlots, gaps_in, streams_of
from chaoskit.guarantees.traffic.selection import select
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

#: Shorter runs of failures get no bracket: the tiles show them well enough.
_SHORTEST_NS = 100_000_000
#: Nor do shorter times in which nothing is sure, as the driver itself was in trouble.
_SHORTEST_DOUBT_NS = 500_000_000
_OF_A_STREAM_AT_MOST = 12


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time without an ok: surely from `start_ns` to `end_ns`, at most between the outer bounds.

    An outer bound is None where the stream had no ok before or after it. `is_suspect`: the driver
    itself was in trouble meanwhile, which may have hidden or lengthened it; where it was all the
    time, nothing is sure, and both inner moments are the last ok before.
    """

    start_ns: int
    end_ns: int
    after_ns: int | None
    before_ns: int | None
    is_suspect: bool

    @property
    def in_words(self) -> str:
        """How long it took, between its bounds."""
        least_s = (self.end_ns - self.start_ns) / 1e9
        if self.after_ns is None or self.before_ns is None:
            return f"≥ {least_s:.2f} s"
        return f"{least_s:.2f}–{(self.before_ns - self.after_ns) / 1e9:.2f} s"  # noqa: RUF001


def outages(history: History) -> dict[str, list[Outage]]:
    """The longest outages of each stream of a record, by time; streams without any are left out.

    Raises `RecordError` for a record that contradicts itself.
    """
    found: dict[str, list[Outage]] = defaultdict(list)
    for stream in _streams(history):
        gaps = gaps_in(stream, (0, FOREVER_NS), longer_than_ns=_SHORTEST_NS, cut_at_edges=False)
        found[stream.name] += [_outage(gap) for gap in gaps if gap.lower_ns >= _SHORTEST_NS]
        if not found[stream.name]:
            found[stream.name] += [_doubtful(gap) for gap in gaps if _is_long_doubt(gap)][:1]
    return {
        name: sorted(_longest(of_one), key=lambda outage: outage.start_ns)
        for name, of_one in found.items()
        if of_one
    }


def _longest(found: list[Outage]) -> list[Outage]:
    by_length = sorted(found, key=lambda outage: outage.start_ns - outage.end_ns)
    return by_length[:_OF_A_STREAM_AT_MOST]


def _outage(gap: Gap) -> Outage:
    assert gap.lower is not None  # its lower bound was found long enough
    return Outage(
        start_ns=gap.lower[0],
        end_ns=gap.lower[1],
        after_ns=gap.upper[0],
        before_ns=gap.upper[1],
        is_suspect=gap.is_suspect,
    )


def _is_long_doubt(gap: Gap) -> bool:
    long = gap.upper_ns is not None and gap.upper_ns >= _SHORTEST_DOUBT_NS
    return gap.is_suspect and gap.lower is None and long


def _doubtful(gap: Gap) -> Outage:
    after_ns = gap.upper[0]
    assert after_ns is not None  # it has an upper bound
    return Outage(
        start_ns=after_ns,
        end_ns=after_ns,
        after_ns=after_ns,
        before_ns=gap.upper[1],
        is_suspect=True,
    )


def _streams(history: History) -> Iterator[StreamSlots]:
    yield from streams_of(select(history, Choice()))
    yield from streams_of(select(history, Choice(stream=f"{SAMPLER_STREAM}*")))
    yield from _control_streams(history)


def _control_streams(history: History) -> Iterator[StreamSlots]:
    """Guarantees never choose these; what fails on them is charged to nobody but the client."""
    stream = text_column(history, "stream")
    load = text_column(history, "load")
    ok = text_column(history, "outcome").is_like("ok")
    planned_ns = integers(history, "planned_ns")
    for code, name in enumerate(stream.values):
        if not name.startswith(CONTROL_STREAM):
            continue
        rows = np.flatnonzero(stream.codes == code)
        for load_code in np.unique(load.codes[rows]).tolist():
            mine = rows[load.codes[rows] == load_code]
            yield StreamSlots(
                name=name,
                load=load.values[load_code],
                planned_ns=planned_ns[mine],
                shown_ns=planned_ns[mine],
                ok=ok[mine],
                charged=~ok[mine],
            )
