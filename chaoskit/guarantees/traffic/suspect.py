"""Harness-suspect seconds: the load driver itself was in trouble, so a failure accuses nobody.

A machine that is too busy starves the driver and the service alike, and from outside both look
the same. Which of them failed cannot be told, so neither is charged (docs/design/judging.md).
Here it shows by lateness; `driver_health` adds what the driver says of itself, and `starved` what
the kernel says of the pods.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.intervals import Codes, Mask, Span, Times, blocks, united

#: A slot sent later than this after its planned time is late: a tenth of the time in which
#: anything that is judged here can fail, and ten times what a quiet machine shows.
LATE_NS = 25_000_000

#: This share of a second's slots must be late for it to be marked: one pause of the driver's
#: interpreter is no sign of a starved machine, and must not excuse what failed beside it.
LATE_SHARE = 0.05

#: A driver that uses more than this part of a core has none to spare for a pause of the machine.
BUSY_CPU_SHARE = 0.8

#: A second of CLOCK_MONOTONIC, the bucket that is marked as a whole.
SECOND_NS = 1_000_000_000

#: More seconds than any record has: 2^63 ns are fewer than 2^34 s. Tells the loads apart.
_SECONDS_PER_LOAD = np.int64(1 << 34)


class Trouble(enum.IntFlag):
    """Why a second is suspect: slots were sent late, more than half of the ceiling was asked for,
    or the driver used most of a core; or the machine kept a pod from running.
    """

    LATE = 1
    OVER_RATE = 2
    BUSY = 4
    STARVED = 8


@dataclass(frozen=True)
class SuspectSeconds:
    """The seconds in which a load was in trouble, each with its longest lag (0 unless late).

    `keys` are a load's code and the second's number in one sorted integer; `troubles` are
    `Trouble` flags.
    """

    keys: Times
    lag_ns: Times
    troubles: Codes

    def __len__(self) -> int:
        return len(self.keys)

    def touching(self, loads: Codes, start_ns: Times, end_ns: Times) -> Mask:
        """Which of many [start, end] lie at least in part in a suspect second of their load."""
        found: Mask = np.zeros(len(loads), dtype=np.bool_)
        if not len(self):  # the common case costs nothing
            return found
        for rows in blocks(len(loads)):
            first, beyond = self._ranges(loads[rows], start_ns[rows], end_ns[rows])
            found[rows] = beyond > first
        return found

    def touched_by(self, loads: Codes, start_ns: Times, end_ns: Times) -> "SuspectSeconds":
        """Those that at least one of many [start, end] of their load touches."""
        if not len(self):
            return self
        size = len(self) + 1
        edges = np.zeros(size, dtype=np.int64)
        for rows in blocks(len(loads)):
            first, beyond = self._ranges(loads[rows], start_ns[rows], end_ns[rows])
            edges += np.bincount(first, minlength=size) - np.bincount(beyond, minlength=size)
        touched = np.cumsum(edges)[:-1] > 0
        return self._where(touched)

    def also(self, keys: Times, trouble: Trouble) -> "SuspectSeconds":
        """Those, and the seconds of `keys` for that trouble."""
        if not len(keys):
            return self
        every = np.unique(np.concatenate((self.keys, keys)))
        lag_ns = np.zeros(len(every), dtype=np.int64)
        troubles = np.zeros(len(every), dtype=np.int32)
        mine = np.searchsorted(every, self.keys)
        lag_ns[mine], troubles[mine] = self.lag_ns, self.troubles
        troubles[np.searchsorted(every, keys)] |= trouble
        return SuspectSeconds(every, lag_ns, troubles)

    def between(self, start_ns: int, end_ns: int) -> "SuspectSeconds":
        """Those that began in this time, its end left out, of whatever load."""
        began_ns = self.keys % _SECONDS_PER_LOAD * SECOND_NS
        return self._where((began_ns >= start_ns) & (began_ns < end_ns))

    def of_driver(self) -> "SuspectSeconds":
        """Those in which the driver was in trouble, and with what."""
        troubles = self.troubles & ~np.int32(Trouble.STARVED)
        mine = troubles != 0
        return SuspectSeconds(self.keys[mine], self.lag_ns[mine], troubles[mine])

    def longest_lag_ns(self) -> int:
        """The longest lag in all of them; 0 without one."""
        return int(self.lag_ns.max(initial=0))

    def spans_of(self, load: int) -> list[Span]:
        """The suspect seconds of the load with that code, those in a row as one span."""
        seconds = self.keys[self.keys // _SECONDS_PER_LOAD == load] % _SECONDS_PER_LOAD
        whole = united((int(s) * SECOND_NS, (int(s) + 1) * SECOND_NS) for s in seconds)
        return [(start, end - 1) for start, end in whole]

    def starts_ns(self) -> Times:
        """When each of them began, by time; one that several loads share stands once."""
        starts: Times = np.unique(self.keys % _SECONDS_PER_LOAD) * SECOND_NS
        return starts

    def in_words(self) -> str:
        """What was the matter in these seconds."""
        troubles = Trouble(int(np.bitwise_or.reduce(self.troubles, initial=0)))
        lag_s = self.longest_lag_ns() / 1e9
        lag = f"{lag_s:.1f} s" if lag_s >= 1 else f"{lag_s * 1e3:.0f} ms"
        words = {
            Trouble.LATE: f"was late by up to {lag}",
            Trouble.OVER_RATE: "was asked for more than half of what it can send",
            Trouble.BUSY: f"used more than {BUSY_CPU_SHARE:.0%} of a core",
        }
        driver = " and ".join(words[trouble] for trouble in troubles if trouble in words)
        said = [f"the driver itself {driver}"] if driver else []
        if Trouble.STARVED in troubles:
            said.append("the machine kept a pod from running")
        return " and ".join(said)

    def _where(self, mask: Mask) -> "SuspectSeconds":
        return SuspectSeconds(self.keys[mask], self.lag_ns[mask], self.troubles[mask])

    def _ranges(self, loads: Codes, start_ns: Times, end_ns: Times) -> tuple[Times, Times]:
        first = np.searchsorted(self.keys, seconds_of(loads, start_ns), side="left")
        beyond = np.searchsorted(self.keys, seconds_of(loads, end_ns), side="right")
        return first, beyond


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What suspect seconds mean for the requests that are judged.

    `seconds`: the suspect seconds that any of them touches. `uncharged`: those that are not ok
    and touch one. `behind`: the seconds which these touch.
    """

    seconds: SuspectSeconds
    uncharged: Mask
    behind: SuspectSeconds

    def failures(self) -> list[str]:
        """The doubt about requests that are not charged; none when there are none."""
        count = int(np.count_nonzero(self.uncharged))
        if not count:
            return []
        return [
            f"{count} request{'' if count == 1 else 's'} failed while {self.behind.in_words()}:"
            " the machine was too busy to tell"
        ]

    def delays(self) -> list[str]:
        """The doubt about what was not looked at in time, requests that failed or none."""
        late = self.seconds.of_driver()
        if self.failures() or not len(late):
            return self.failures()
        return [f"{late.in_words()}: the machine was too busy to tell"]

    def write_into(self, found: Findings) -> None:
        """Count the suspect seconds, and what was not charged, apart from the rest."""
        if not len(self.seconds):
            return
        found.coverage["harness-suspect seconds"] = len(self.seconds)
        found.coverage["not ok in harness-suspect seconds"] = int(np.count_nonzero(self.uncharged))
        found.figures["driver_lag_at_most_s"] = self.seconds.longest_lag_ns() / 1e9


def suspect_seconds(
    loads: Codes, planned_ns: Times, sent_ns: Times, exempt: Mask
) -> SuspectSeconds:
    """The seconds in which a load was late, of all loads.

    Takes every slot on record, control streams too: one driver sends all streams of a load.
    `exempt` are those that say nothing of the driver: a slot that was never sent is no sign of a
    late one, as a service that hangs fills the driver's limit of requests in flight.
    """

    def part(rows: slice) -> tuple[Times, ...]:
        mine = np.flatnonzero(~exempt[rows]) + rows.start
        keys = seconds_of(loads[mine], planned_ns[mine])
        lag_ns = sent_ns[mine] - planned_ns[mine]
        return keys, np.ones_like(keys), (lag_ns > LATE_NS).astype(np.int64), lag_ns

    seconds, slots, late, lag_ns = by_second(
        map(part, blocks(len(loads))), np.add, np.add, np.maximum
    )
    marked = late >= np.maximum(1, LATE_SHARE * slots)
    troubles = np.full(int(np.count_nonzero(marked)), Trouble.LATE, dtype=np.int32)
    return SuspectSeconds(seconds[marked], lag_ns[marked], troubles)


def seconds_in(loads: Codes, planned_ns: Times) -> Times:
    """The seconds in which any of these requests was planned, as `SuspectSeconds.keys` has them."""
    parts = ((seconds_of(loads[rows], planned_ns[rows]),) for rows in blocks(len(loads)))
    return by_second(parts)[0]


def by_second(parts: Iterable[tuple[Times, ...]], *how: np.ufunc) -> tuple[Times, ...]:
    """The seconds of many requests, sorted, and their figures brought together in each of them.

    Each part has the second of each of some requests, as `seconds_of` gives it, and then their
    figures, one column for each way to bring them together.
    """
    nothing = np.zeros(0, dtype=np.int64)
    each = [_reduced(part, how) for part in parts] or [(nothing,) * (1 + len(how))]
    return _reduced(tuple(np.concatenate(column) for column in zip(*each, strict=True)), how)


def _reduced(part: tuple[Times, ...], how: Sequence[np.ufunc]) -> tuple[Times, ...]:
    keys, *columns = part
    order = np.argsort(keys, kind="stable")
    seconds, first = np.unique(keys[order], return_index=True)
    if not len(first):
        return part
    return seconds, *(
        ufunc.reduceat(column[order], first) for ufunc, column in zip(how, columns, strict=True)
    )


def suspicion(
    seconds: SuspectSeconds, loads: Codes, planned_ns: Times, end_ns: Times, ok: Mask
) -> Suspicion:
    """What the suspect seconds mean for these requests, each from its planned time to its end."""
    uncharged = ~ok & seconds.touching(loads, planned_ns, end_ns)
    return Suspicion(
        seconds=seconds.touched_by(loads, planned_ns, end_ns),
        uncharged=uncharged,
        behind=seconds.touched_by(loads[uncharged], planned_ns[uncharged], end_ns[uncharged]),
    )


def seconds_of(loads: Codes, time_ns: Times) -> Times:
    """The second of its load in which each moment lies, as `SuspectSeconds.keys` has it."""
    keys: Times = loads * _SECONDS_PER_LOAD + time_ns // SECOND_NS
    return keys
