"""Judging hand-made histories, and reading what came of it."""

from collections.abc import Sequence

from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.story import Story, note_of_end


def verdict_on(
    guarantee: Guarantee,
    story: Story | None = None,
    rows: Sequence[RequestRow] = (),
    *damage: Damage,
    end_s: float | None = None,
) -> Verdict:
    """What a guarantee says of a story with these requests; `end_s`: it goes on for so long."""
    told = Story() if story is None else story
    events = told.events if end_s is None else [*told.events, note_of_end(end_s)]
    return guarantee.check(History.of_parts(events=events, requests=rows, damage=damage))


def first(verdict: Verdict) -> tuple[int, str, list[str]]:
    """The first witness of a violation: when, what, and which objects."""
    assert verdict.outcome is Outcome.VIOLATED, verdict.summary
    witness = verdict.evidence.first
    assert witness is not None
    return witness.time_ns, witness.text, witness.objects
