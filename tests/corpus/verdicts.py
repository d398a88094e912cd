"""Judging hand-made histories, and reading what came of it."""

from collections.abc import Callable, Sequence

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome, Verdict, Witness
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.story import Story, note_of_end
from tests.corpus.times import START_NS, at

#: A second of which no event, or no request, is on record.
LOST_EVENTS, LOST_REQUESTS = (
    Damage(file="x.ckl", holds=holds, kind="lost", since_ns=at(8), until_ns=at(9), detail="torn")
    for holds in ("events", "requests")
)


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


def in_full(verdict: Verdict) -> list[str]:
    """All that a verdict says, line by line; moments in seconds of the story."""
    evidence = verdict.evidence
    telling: dict[str, list[str]] = {}
    for which, witness in (
        ("first", evidence.first),
        ("worst", evidence.worst),
        ("last", evidence.last),
    ):
        if witness is not None:
            telling.setdefault(_told(witness), []).append(which)
    return [
        f"{verdict.guarantee} {verdict.version}: {verdict.title}",
        f"{verdict.outcome}: {verdict.summary}",
        *(f"{', '.join(which)} of {evidence.count} {told}" for told, which in telling.items()),
        *(f"{name}: {number}" for name, number in verdict.coverage.items()),
        *(f"{name} = {figure:g}" for name, figure in verdict.figures.items()),
    ]


def _told(witness: Witness) -> str:
    objects = ", ".join(witness.objects)
    return f"at {(witness.time_ns - START_NS) / 1e9:g} s: {witness.text} [{objects}]"


def refused(make: Callable[[], object]) -> str:
    """What is said against arguments that cannot be."""
    with pytest.raises(UsageError) as caught:
        make()
    return str(caught.value)
