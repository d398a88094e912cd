"""Verdicts: HELD, VIOLATED or an honest UNKNOWN, each with its evidence."""

import enum
from collections.abc import Iterable

import msgspec


class Outcome(enum.StrEnum):
    """VIOLATED > UNKNOWN > HELD when merged."""

    HELD = "HELD"
    VIOLATED = "VIOLATED"
    UNKNOWN = "UNKNOWN"


_RANK = {Outcome.HELD: 0, Outcome.UNKNOWN: 1, Outcome.VIOLATED: 2}


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of them; nothing at all to merge is UNKNOWN."""
    return max(outcomes, key=_RANK.__getitem__, default=Outcome.UNKNOWN)


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the record to look: a moment, what stands there, and the objects it concerns."""

    time_ns: int
    text: str
    objects: list[str] = []


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the verdict rests on: how many witnesses there are, and the telling ones."""

    count: int = 0
    first: Witness | None = None
    worst: Witness | None = None
    last: Witness | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One guarantee's judgement of one record.

    `summary` is one sentence with the figures; `coverage` says what was seen that the claim
    needed ("requests outside nic_down" → 5120); `figures` are numbers with units in their names.
    """

    guarantee: str
    version: int
    title: str
    outcome: Outcome
    summary: str
    evidence: Evidence = Evidence()
    coverage: dict[str, int] = {}
    figures: dict[str, float] = {}
