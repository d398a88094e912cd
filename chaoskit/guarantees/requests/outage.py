"""The longest time in which a stream of requests got no ok."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import conclude
from chaoskit.guarantees.requests.runs import RunsOfStreams, judge_gaps, require_one_time
from chaoskit.guarantees.traffic.gaps import Gap, gaps_in, streams_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class Outage(RunsOfStreams):
    """No stream is without an ok for longer than `at_most_s`.

    Claims: the longest run of planned slots of one stream without an ok is no longer than
    `at_most_s`, dated by planned time (a timeout belongs to the moment it was planned). With
    `during` or `phase`, runs that touch the fault's window or the phase count, in full length;
    with `after`, what is left of them while the fault is healed.
    Violated when: the lower bound (first to last bad slot, without those that harness-suspect
    seconds touch) exceeds the limit.
    Unknown when: only the upper bound (last ok before to first ok after) exceeds it, the driver
    was late for so long that it may have missed a longer one, no stream covers the window or the
    phase, the fault was not proved in effect, the phase is not on record or has no end, requests
    may be missing, a load died.
    """

    at_most_s: float

    name: ClassVar[str] = "outage"
    version: ClassVar[int] = 5

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        claim = f"no outage longer than {self.at_most_s:g} s"
        found, chosen, judged = self.begin(history, claim)
        gaps: list[Gap] = []
        streams = 0
        for stream in streams_of(chosen):
            streams += 1
            found.doubt(*judged.uncovered(stream))
            for span in judged.spans:
                gaps += gaps_in(
                    stream,
                    span,
                    longer_than_ns=self.at_most_s * 1e9,
                    cut_at_edges=judged.cut_at_edges,
                )
        found.coverage["streams"] = streams
        if not gaps:
            found.doubt("no stream has planned slots in the time to be judged")
        judge_gaps(found, gaps, chosen.suspicion, limit_s=self.at_most_s)
        if not (chosen.is_whole and judged.is_sure):
            found.go_blind(0)  # what is missing may hold an ok in every gap
        return conclude(self, found)


def outage(
    at_most_s: float,
    *,
    during: str | None = None,
    after: str | None = None,
    phase: str | None = None,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    deadline_s: float | None = None,
) -> Outage:
    """No stream is without an ok for longer than `at_most_s`; see `Outage`.

    Raises `UsageError` for a limit that is not positive, or more than one of `during`, `after`
    and `phase`.
    """
    if at_most_s <= 0:
        raise UsageError("must be positive", subject="outage's at_most_s", seen=at_most_s)
    require_one_time("outage", during, after, phase)
    return Outage(
        at_most_s=at_most_s,
        during=during,
        after=after,
        stream=stream,
        connection=connection,
        operation=operation,
        deadline_s=deadline_s,
        phase=phase,
        user=user,
    )
