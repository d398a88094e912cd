"""Runs of failures of a stream: the time in which they count, and how their length is judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span, without
from chaoskit.guarantees.traffic.choice import StreamChoice
from chaoskit.guarantees.traffic.gaps import Gap, StreamSlots, longest_of
from chaoskit.guarantees.traffic.selection import Selected, phase_spans, select
from chaoskit.guarantees.traffic.suspect import Suspicion
from chaoskit.guarantees.verdict import Witness
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RunsOfStreams(StreamChoice):
    """Whole streams, whose runs of failures count in some time; of the three one is given."""

    during: str | None = None
    after: str | None = None
    phase: str | None = None
    deadline_s: float | None = None

    def begin(self, history: History, claim: str) -> tuple[Findings, Selected, "JudgedTime"]:
        """The requests, the time in which runs of them count, and what is known from these."""
        chosen = select(history, self.whole_streams(), deadline_s=self.deadline_s)
        judged = _judged_time(history, during=self.during, after=self.after, phase=self.phase)
        found = Findings(title=f"{claim}{judged.words}")
        found.doubt(*chosen.doubts, *judged.doubts)
        found.coverage["planned slots"] = len(chosen)
        chosen.suspicion.write_into(found)
        return found, chosen, judged


@dataclass(frozen=True, kw_only=True)
class JudgedTime:
    """The time in which runs of failures count.

    `words`: the same for a title. `is_sure`: no mark that bounds it can be missing.
    `is_whole_span`: every stream must cover it. `cut_at_edges`: only what of a run lies in
    the span counts.
    """

    spans: list[Span]
    words: str = ""
    doubts: list[str] = field(default_factory=list)
    is_sure: bool = True
    is_whole_span: bool = False
    cut_at_edges: bool = False

    def uncovered(self, stream: StreamSlots) -> list[str]:
        """The doubt about a stream that does not cover a span from beginning to end."""
        first, last = stream.span
        return [
            f"stream {stream.name} does not cover the whole window"
            for start, end in self.spans
            if self.is_whole_span and (first > start or (last < end and end != FOREVER_NS))
        ]


def _judged_time(
    history: History, *, during: str | None, after: str | None, phase: str | None
) -> JudgedTime:
    """The windows of a fault, what follows its heals, the spans of a phase, or all time."""
    if phase is not None:
        spans, doubts = phase_spans(history, phase)
        return JudgedTime(
            spans=spans,
            words=f" in phase {phase}",
            doubts=doubts,
            is_sure=not doubts,
            is_whole_span=True,
        )
    name = during or after
    if name is None:
        return JudgedTime(spans=[(0, FOREVER_NS)])
    windows = fault_windows(history, name)
    lost = lost_events(history, None, None)
    doubts = [*fault_doubts(windows, name), *lost]
    if after is None:
        return JudgedTime(
            spans=[window.span for window in windows],
            words=f" during {name}",
            doubts=doubts,
            is_sure=not lost,
            is_whole_span=True,
        )
    if any(window.healed_ns is None for window in windows):
        doubts.append(f"the record has no heal of {name}")
    healed = [(w.healed_ns, FOREVER_NS) for w in windows if w.healed_ns is not None]
    return JudgedTime(
        # Where it was injected again, or is in effect elsewhere, is not after it.
        spans=without(healed, [window.span for window in windows]),
        words=f" after {name}",
        doubts=doubts,
        is_sure=not lost,
        cut_at_edges=True,
    )


def require_one_time(
    subject: str, during: str | None, after: str | None, phase: str | None
) -> None:
    """Raise `UsageError` when more than one is given."""
    given = [name for name in (during, after, phase) if name is not None]
    if len(given) > 1:
        raise UsageError("takes one of during=, after= and phase=", subject=subject, seen=given)


def judge_gaps(
    found: Findings,
    gaps: Sequence[Gap],
    suspicion: Suspicion,
    *,
    limit_s: float,
    what: str = "outage",
    saying: str = "had no ok for",
) -> None:
    """Charge what surely lasted longer than the limit; doubt what may have."""
    if not gaps:
        return
    limit_ns = limit_s * 1e9
    longest = longest_of(gaps)
    uppers = [gap.upper_ns for gap in gaps]
    upper_ns = None if None in uppers else max(u for u in uppers if u is not None)
    found.figures[f"{what}_at_least_s"] = longest.lower_ns / 1e9
    if upper_ns is not None:
        found.figures[f"{what}_at_most_s"] = upper_ns / 1e9
    found.summary = (
        f"longest {what} {longest.lower_ns / 1e9:.3f} s"
        f" (at most {'?' if upper_ns is None else f'{upper_ns / 1e9:.3f}'} s)"
        f" on stream {longest.stream}; limit {limit_s:g} s"
    )
    for gap in dict.fromkeys(gaps):
        if gap.lower is not None and gap.lower_ns > limit_ns:
            found.violations.append(_witness(gap, saying))
    if longest.lower is not None and found.violations:
        found.worst = _witness(longest, saying)
    article = "an" if what[0] in "aeiou" else "a"
    if upper_ns is None:
        found.doubt(f"{article} {what} touches the end of its stream, so its length is not known")
    elif upper_ns > limit_ns:
        found.doubt(f"{article} {what} may have lasted up to {upper_ns / 1e9:.3f} s")
    if any(gap.is_suspect and not gap.is_within(limit_ns) for gap in gaps):
        found.doubt(*suspicion.delays())


def _witness(gap: Gap, saying: str) -> Witness:
    assert gap.lower is not None  # only gaps with bad slots accuse
    upper = "?" if gap.upper_ns is None else f"{gap.upper_ns / 1e9:.3f}"
    return Witness(
        time_ns=gap.lower[0],
        text=(
            f"stream {gap.stream} of load {gap.load} {saying}"
            f" {gap.lower_ns / 1e9:.3f} s (at most {upper} s)"
        ),
        objects=[gap.stream, gap.load],
    )
