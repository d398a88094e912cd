"""What the store keeps of a run: plain values, with the paths of record and report."""

from typing import Any

import msgspec

from chaoskit.history.session import ScenarioOutcome


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What the clients of one scenario saw, told from its record; None: not to be told.

    `requests` and `lost` count planned slots of all streams; `downtime_s` is the longest time in
    which one stream surely had no ok; `recovery_s` the longest recovery that a guarantee measured;
    `response_p99_s` of what was answered ok, from its planned time.
    """

    requests: int | None = None
    lost: int | None = None
    downtime_s: float | None = None
    recovery_s: float | None = None
    response_p99_s: float | None = None


class KeptVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One guarantee's verdict with the parameters it was asked with."""

    guarantee: str
    version: int
    parameters: dict[str, Any]
    title: str
    outcome: ScenarioOutcome
    summary: str
    figures: dict[str, float]


class KeptScenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario of a run; what runs are compared by stands beside its outcome.

    `nodes` is servers+agents ("1+2"), `machine` the class of the machine, `record` the folder of
    the record, empty without one.
    """

    slug: str
    nodeid: str
    title: str
    rows: list[str]
    outcome: ScenarioOutcome
    reason: str
    wall_s: float
    record: str
    kubernetes: str
    nodes: str
    profile: str
    image: str
    machine: str
    measures: Measures
    verdicts: list[KeptVerdict]


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `folder` and `report` are absolute paths on the machine that ran it."""

    run_id: str
    started_wall_ns: int
    wall_s: float
    outcome: ScenarioOutcome
    finished: bool
    seed: int
    command: str
    chaoskit: str
    folder: str
    report: str
    options: dict[str, str]
    facts: dict[str, str]
    scenarios: list[KeptScenario]
