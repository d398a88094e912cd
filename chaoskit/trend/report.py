"""The trend as data: what all its forms show. `trend.json` is this, with a versioned schema."""

from typing import Literal

import msgspec

_Schema = Literal[1]
TREND_SCHEMA: _Schema = 1

#: "too little history": nothing can be said yet, and nothing is.
State = Literal["worse", "better", "steady", "too little history"]


class OutcomePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One run's outcome."""

    run_id: str
    started_wall_ns: int
    outcome: str


class ValuePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One run's value of a measure, in seconds."""

    run_id: str
    started_wall_ns: int
    value: float


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How often something happened in the recent runs, and in those before.

    `p_value` is Fisher's exact test, one-sided, adjusted for all series of the report; None where
    there is too little history. The part of a sentence that it is for stands in `what`.
    """

    what: Literal["VIOLATED", "UNKNOWN"]
    before: int
    of_before: int
    recent: int
    of_recent: int
    p_value: float | None


class GuaranteeTrend(msgspec.Struct, frozen=True, kw_only=True):
    """One guarantee over time. UNKNOWN is a series of its own: neither held nor violated.

    `since` is the run from which it is VIOLATED more often, or less; None where neither is so.
    """

    guarantee: str
    title: str
    parameters: str
    points: list[OutcomePoint]
    violated: Share
    unknown: Share
    since: str | None
    state: State
    said: str


class ChangePoint(msgspec.Struct, frozen=True, kw_only=True):
    """From this run on the values are others; medians of both sides, in seconds."""

    run_id: str
    started_wall_ns: int
    before_s: float
    after_s: float
    p_value: float


class MeasureTrend(msgspec.Struct, frozen=True, kw_only=True):
    """One measure over time, in seconds; the smaller, the better."""

    name: str
    title: str
    points: list[ValuePoint]
    changes: list[ChangePoint]
    state: State
    said: str


class ScenarioTrend(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario on one baseline: what is compared with what."""

    nodeid: str
    title: str
    rows: list[str]
    kubernetes: str
    nodes: str
    profile: str
    machine: str
    outcomes: list[OutcomePoint]
    guarantees: list[GuaranteeTrend]
    measures: list[MeasureTrend]
    state: State


class TrendReport(msgspec.Struct, frozen=True, kw_only=True):
    """All scenarios over a time. `findings` are the sentences worth reading first, worst first."""

    schema: _Schema
    chaoskit: str
    store: str
    since: str
    runs: int
    first_wall_ns: int | None
    last_wall_ns: int | None
    recent_runs: int
    runs_needed: int
    state: State
    findings: list[str]
    notes: list[str]
    scenarios: list[ScenarioTrend]
