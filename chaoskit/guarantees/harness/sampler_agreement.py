"""Whether two instruments saw the same service: the load's driver, and the sampler beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_events, lost_requests
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.harness.stream_pairs import Pair, StreamSeen, chance_of_silence, pairs_in
from chaoskit.guarantees.intervals import Span, touching
from chaoskit.guarantees.proportions import interval
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.traffic.suspect import LATE_NS
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History
from chaoskit.history.requests import SAMPLER_STREAM

#: A disagreement is called one when chance alone would bring it about less often than this in all
#: comparisons of a run together.
_CHANCE = 0.001

#: A sampler that sent more than this share of its slots late is no witness.
_LATE_SHARE = 0.01

#: Fault windows shorter than this hold too few samples (20 a second) to compare shares.
_SHORTEST_WINDOW_NS = 1_000_000_000

#: Streams that were seen together by fewer slots than this, 5 s of a sampler, prove nothing.
_FEWEST_SLOTS = 100


@dataclass(frozen=True, kw_only=True)
class SamplerAgrees:
    """The sampler and the load saw the same service. Never VIOLATED: it is about us.

    Each of the sampler's streams is compared with the load's reads through the same entry, on the
    same kind of connection, while both ran.

    Claims: (a) where one of the two saw no ok for longer than two intervals of the slower one, the
    other had no ok in between either, beyond what chance explains; (b) on new connections the
    shares of ok requests agree, as exact 99.9 % intervals, outside all faults and inside each
    fault's window of at least 1 s. All comparisons of a run share the 0.1 % (Bonferroni).
    In a partial outage a few requests in a row fail by chance, as they meet the pod that is away.
    That is counted by requests and by connections, for requests on one connection may share its
    fate; the likelier counts. For the same reason shares are not compared on kept connections,
    which break once, whatever the rate of requests is.
    Harness-suspect seconds of either are left out.
    Unknown when: they disagree, a load with reads has no sampler, a sampler died or sent more than
    1 % of its slots over 25 ms late, or parts of the record are missing.
    """

    name: ClassVar[str] = "sampler_agrees"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title="the sampler and the load saw the same service")
        found.doubt(
            *incomplete_loads(history),
            *lost_requests(history, None, None),
            *lost_events(history, None, None),
        )
        _judge_lateness(found, history)
        pairs, alone = pairs_in(history)
        found.coverage |= {"pairs of streams": len(pairs), "loads without a sampler": len(alone)}
        found.doubt(*(f"load {load} had no sampler beside it" for load in alone))
        if not pairs:
            found.doubt("no stream of a sampler can be compared with the load's")
        for pair in pairs:
            if pair.fewest_slots < _FEWEST_SLOTS:
                found.doubt(f"{pair.in_words()} were compared by {pair.fewest_slots} slots only")
        _compare_outages(found, pairs)
        _compare_shares(found, pairs, history)
        found.summary = (
            f"{len(pairs)} pairs of streams, {found.coverage['outages compared']} outages and"
            f" {found.coverage['shares compared']} shares compared"
        )
        return conclude(self, found)


def sampler_agrees() -> SamplerAgrees:
    """The sampler and the load saw the same service; see `SamplerAgrees`."""
    return SamplerAgrees()


def _judge_lateness(found: Findings, history: History) -> None:
    """Of all streams of the sampler's loads: one process sends them, control streams too."""
    load, stream = text_column(history, "load"), text_column(history, "stream")
    of_sampler = np.unique(load.codes[stream.is_like(f"{SAMPLER_STREAM}*")])
    sent = integers(history, "sent_ns")
    mine = np.isin(load.codes, of_sampler) & (sent >= 0)
    found.coverage["sampler slots"] = int(np.count_nonzero(mine))
    if not mine.any():
        return
    lag_ns = sent[mine] - integers(history, "planned_ns")[mine]
    share = float(np.mean(lag_ns > LATE_NS))
    found.figures["sampler_late_share"] = share
    if share > _LATE_SHARE:
        found.doubt(f"the sampler sent {share:.1%} of its slots over {LATE_NS / 1e6:g} ms late")


def _compare_outages(found: Findings, pairs: Sequence[Pair]) -> None:
    compared = 0
    # A run of bad slots may begin at any slot: each is a chance of its own.
    chances = sum(len(pair.sampler) + len(pair.load) for pair in pairs)
    for pair in pairs:
        longer_than_ns = 2 * max(pair.sampler.interval_ns, pair.load.interval_ns)
        for one, other in ((pair.sampler, pair.load), (pair.load, pair.sampler)):
            for span in one.outages(longer_than_ns):
                compared += 1
                inside = other.inside(span)
                chance = chance_of_silence(one.between(*span), inside)
                if chance * chances < _CHANCE:
                    found.doubt(_only_one_saw(one, inside, span))
    found.coverage["outages compared"] = compared


def _compare_shares(found: Findings, pairs: Sequence[Pair], history: History) -> None:
    windows = fault_windows(history)
    faults = [window.span for window in windows]
    places: list[tuple[str, Span | None]] = [("outside all faults", None)]
    places += [
        (f"during {window.name} on {window.target}", window.span)
        for window in windows
        if window.end_ns - window.requested_ns >= _SHORTEST_WINDOW_NS
    ]
    counts = []
    for pair in pairs:
        if not pair.on_new_connections:
            continue
        for where, span in places:
            sampler, load = (
                _counted(stream, pair.suspect, faults, span) for stream in (pair.sampler, pair.load)
            )
            if sampler[1] and load[1]:
                counts.append((pair, where, sampler, load))
    found.coverage["shares compared"] = len(counts)
    confidence = 1 - _CHANCE / max(1, len(counts))
    for pair, where, sampler, load in counts:
        (low, high), (lowest, highest) = (
            interval(*count, confidence=confidence) for count in (sampler, load)
        )
        if low > highest or lowest > high:
            found.doubt(
                f"{pair.in_words()} disagree {where}: {sampler[0]} of {sampler[1]} ok by the"
                f" sampler, {load[0]} of {load[1]} by the load"
            )


def _counted(
    stream: StreamSeen, suspect: Sequence[Span], faults: Sequence[Span], span: Span | None
) -> tuple[int, int]:
    """How many were ok of how many planned in a span, or (None) that touch no fault."""
    if span is None:
        chosen = ~touching(stream.planned_ns, stream.end_ns, faults)
    else:
        chosen = touching(stream.planned_ns, stream.planned_ns, [span])
    chosen &= ~touching(stream.planned_ns, stream.end_ns, suspect)
    return int(np.count_nonzero(stream.ok & chosen)), int(np.count_nonzero(chosen))


def _only_one_saw(one: StreamSeen, inside: StreamSeen, span: Span) -> str:
    return (
        f"{one.in_words()} had no ok for {(span[1] - span[0]) / 1e9:.3f} s,"
        f" {(span[0] - int(one.planned_ns[0])) / 1e9:.1f} s after its start, in which"
        f" {inside.in_words()} had {np.count_nonzero(inside.ok)} of {len(inside)} ok"
    )
