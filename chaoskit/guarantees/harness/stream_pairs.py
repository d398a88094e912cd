"""Streams of the sampler and of the load that looked at the same thing, side by side."""

import math
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.intervals import Codes, Mask, Span, Times, united
from chaoskit.guarantees.traffic.columns import TextColumn, ends_ns, integers, text_column
from chaoskit.guarantees.traffic.driver_health import suspect_seconds_of
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

#: What the column `operation` says of a request that the sampler sends too.
_READ = "read"

_NOT_SENT = -1


@dataclass(frozen=True, kw_only=True)
class StreamSeen:
    """The slots of one stream, by planned time.

    `charged`: not ok, in no harness-suspect second. `connection_id` is that of the record, a number
    of its own (negative) where it has none, and `_NOT_SENT` for a slot that was not sent.
    """

    stream: str
    load: str
    planned_ns: Times
    end_ns: Times
    ok: Mask
    charged: Mask
    connection_id: Times

    def __len__(self) -> int:
        return len(self.planned_ns)

    @property
    def interval_ns(self) -> int:
        """The usual time between two slots."""
        return int(np.median(np.diff(self.planned_ns))) if len(self) > 1 else 0

    def in_words(self) -> str:
        """Its name, with its load's."""
        return f"stream {self.stream} of {self.load}"

    def while_both(self, other: "StreamSeen") -> "StreamSeen":
        """Its slots while the other ran too."""
        start_ns = max(self.planned_ns[0], other.planned_ns[0])
        return self.between(int(start_ns), int(min(self.planned_ns[-1], other.planned_ns[-1])))

    def between(self, start_ns: int, end_ns: int) -> "StreamSeen":
        """What it planned from one moment to another, both included."""
        first = int(np.searchsorted(self.planned_ns, start_ns, side="left"))
        beyond = int(np.searchsorted(self.planned_ns, end_ns, side="right"))
        return self._taken(slice(first, max(first, beyond)))

    def inside(self, span: Span) -> "StreamSeen":
        """What it planned strictly inside a span, without oks that came after its end.

        A request that waited for an outage to end is ok although there was one.
        """
        planned = self.between(span[0] + 1, span[1] - 1)
        return planned._taken(~planned.ok | (planned.end_ns < span[1]))

    def trials(self, *, by_connection: bool) -> tuple[int, int]:
        """How many requests it sent, or on how many connections, and how many of them got an ok."""
        sent = self.connection_id != _NOT_SENT
        with_ok = sent & self.ok
        if not by_connection:
            return int(np.count_nonzero(sent)), int(np.count_nonzero(with_ok))
        return (
            len(np.unique(self.connection_id[sent])),
            len(np.unique(self.connection_id[with_ok])),
        )

    def outages(self, longer_than_ns: int) -> list[Span]:
        """The runs of slots that were surely not ok, longer than that, by planned time.

        A slot in a suspect second may have been ok with a punctual driver, so it ends a run.
        """
        edges = np.flatnonzero(np.diff(np.r_[False, self.charged, False]))
        starts, ends = self.planned_ns[edges[::2]], self.planned_ns[edges[1::2] - 1]
        long = ends - starts > longer_than_ns
        return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))

    def _taken(self, which: slice | Mask) -> "StreamSeen":
        return StreamSeen(
            stream=self.stream,
            load=self.load,
            planned_ns=self.planned_ns[which],
            end_ns=self.end_ns[which],
            ok=self.ok[which],
            charged=self.charged[which],
            connection_id=self.connection_id[which],
        )


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A stream of the sampler and one of the load, through one entry on one kind of connection,
    while both ran. `suspect`: the harness-suspect seconds of either.
    """

    sampler: StreamSeen
    load: StreamSeen
    on_new_connections: bool
    suspect: list[Span]

    @property
    def fewest_slots(self) -> int:
        """How many slots the one with fewer of them had."""
        return min(len(self.sampler), len(self.load))

    def in_words(self) -> str:
        """Both of them."""
        return f"{self.sampler.in_words()} and {self.load.in_words()}"


def pairs_in(history: History) -> tuple[list[Pair], list[str]]:
    """The pairs of a record, and the ids of the loads with reads that no sampler was beside.

    The sampler of load L bears the id "sampler-L"; one whose id names no load is compared with all.
    """
    slots = _slots(history)
    loads = {key.load for key in slots.keys if not key.is_sampler}
    pairs = []
    for key in slots.keys:
        beside = key.load.removeprefix(f"{SAMPLER_STREAM}-")
        for other in slots.keys:
            if not key.is_sampler or other.is_sampler or key.place != other.place:
                continue
            if beside in loads and beside != other.load:
                continue
            sampler, load = slots.seen(key), slots.seen(other)
            pairs.append(
                Pair(
                    sampler=sampler.while_both(load),
                    load=load.while_both(sampler),
                    on_new_connections=key.place[1] == "new",
                    suspect=united((*slots.suspect[key.load], *slots.suspect[other.load])),
                )
            )
    return pairs, sorted(loads - {pair.load.load for pair in pairs})


def chance_of_silence(one: StreamSeen, other: StreamSeen) -> float:
    """How likely it is that chance alone gave all oks to the other of two streams.

    Requests on one connection may share its fate or each have its own; the likelier counts.
    """
    chances = []
    for by_connection in (False, True):
        bad, _ = one.trials(by_connection=by_connection)
        others, with_ok = other.trials(by_connection=by_connection)
        chances.append(chance_of(bad, with_ok, others))
    return max(chances)


def chance_of(bad: int, with_ok: int, others: int) -> float:
    """The chance that none of what was ok is among `bad` of them, but all among the `others`.

    If both drew from one lot, `with_ok` of `bad` + `others` were ok, and this is how often none of
    these would fall to the first (Fisher's exact test): C(others, with_ok) / C(bad + others,
    with_ok).
    """
    return math.exp(_log_choices(others, with_ok) - _log_choices(bad + others, with_ok))


def _log_choices(among: int, chosen: int) -> float:
    return math.lgamma(among + 1) - math.lgamma(chosen + 1) - math.lgamma(among - chosen + 1)


@dataclass(frozen=True, kw_only=True)
class _Key:
    """One stream of one load. `place`: its entry and its kind of connection."""

    code: int
    load: str
    stream: str
    place: tuple[str, str]
    is_sampler: bool


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """All reads of the loads and samplers; `code` tells whose each is, -1 for what is left out."""

    keys: list[_Key]
    code: Codes
    planned_ns: Times
    end_ns: Times
    ok: Mask
    charged: Mask
    connection_id: Times
    suspect: dict[str, list[Span]]

    def seen(self, key: _Key) -> StreamSeen:
        """The slots of one stream."""
        rows = np.flatnonzero(self.code == key.code)
        return StreamSeen(
            stream=key.stream,
            load=key.load,
            planned_ns=self.planned_ns[rows],
            end_ns=self.end_ns[rows],
            ok=self.ok[rows],
            charged=self.charged[rows],
            connection_id=self.connection_id[rows],
        )


def _slots(history: History) -> _Slots:
    """The reads, without control streams and without what was cut off when a load was stopped."""
    load, stream = text_column(history, "load"), text_column(history, "stream")
    planned, sent = integers(history, "planned_ns"), integers(history, "sent_ns")
    code: Codes = load.codes * np.int32(max(len(stream.values), 1)) + stream.codes
    left_out = ~text_column(history, "operation").is_like(_READ)
    left_out |= stream.is_like(f"{CONTROL_STREAM}*")
    left_out |= text_column(history, "error").is_like("cut_off")
    code[left_out] = -1
    number = integers(history, "connection_id")
    number = np.where(number < 0, -2 - np.arange(len(number)), number)
    seconds = suspect_seconds_of(history)
    end = ends_ns(history)
    ok = text_column(history, "outcome").is_like("ok")
    return _Slots(
        keys=_keys(history, code, load, stream),
        code=code,
        planned_ns=planned,
        end_ns=end,
        ok=ok,
        charged=~ok & ~seconds.touching(load.codes, planned, end),
        connection_id=np.where(sent < 0, _NOT_SENT, number),
        suspect={name: seconds.spans_of(number) for number, name in enumerate(load.values)},
    )


def _keys(history: History, code: Codes, load: TextColumn, stream: TextColumn) -> list[_Key]:
    entry, connection = text_column(history, "entry"), text_column(history, "connection")
    keys = []
    for one in np.flatnonzero(np.bincount(code[code >= 0])).tolist():
        row = int(np.argmax(code == one))
        name = str(stream.at(row))
        keys.append(
            _Key(
                code=one,
                load=str(load.at(row)),
                stream=name,
                place=(str(entry.at(row)), str(connection.at(row))),
                is_sampler=name.startswith(SAMPLER_STREAM),
            )
        )
    return keys
