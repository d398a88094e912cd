"""The report for machines: `report.json`, with a versioned schema."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from chaoskit import __version__
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.session import ScenarioOutcome
from chaoskit.report.stored import StoredRun, StoredScenario

FILE_NAME = "report.json"

_Schema = Literal[1]
REPORT_SCHEMA: _Schema = 1


class ScenarioReport(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario. `outcome` is the worst of its verdicts and of the test itself."""

    slug: str
    nodeid: str
    title: str
    rows: list[str]
    outcome: ScenarioOutcome
    reason: str
    wall_s: float
    seed: int | None
    command: str
    cluster: dict[str, str]
    verdicts: list[Verdict]
    notes: list[str]


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `schema` grows when a field is taken away or changes its meaning."""

    schema: _Schema
    chaoskit: str
    run_id: str
    outcome: ScenarioOutcome
    counts: dict[ScenarioOutcome, int]
    seed: int | None
    started_wall_ns: int | None
    wall_s: float | None
    finished: bool | None
    command: str
    options: dict[str, str]
    facts: dict[str, str]
    notes: list[str]
    scenarios: list[ScenarioReport]


class JsonReport:
    """Writes `report.json`."""

    name = "json"

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        path = into / FILE_NAME
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report_of(run)), indent=1))
        return [path]


def report_of(run: StoredRun) -> RunReport:
    session = run.session
    return RunReport(
        schema=REPORT_SCHEMA,
        chaoskit=__version__,
        run_id=run.run_id,
        outcome=run.outcome,
        counts=run.counts,
        seed=session.seed if session else None,
        started_wall_ns=session.started_wall_ns if session else None,
        wall_s=session.wall_s if session else None,
        finished=session.finished if session else None,
        command=session.command if session else "",
        options=session.options if session else {},
        facts=session.facts if session else {},
        notes=list(run.notes),
        scenarios=[_scenario(scenario) for scenario in run.scenarios],
    )


def _scenario(scenario: StoredScenario) -> ScenarioReport:
    info = scenario.info
    return ScenarioReport(
        slug=scenario.slug,
        nodeid=scenario.nodeid,
        title=scenario.title,
        rows=list(scenario.rows),
        outcome=scenario.outcome,
        reason=scenario.reason,
        wall_s=scenario.wall_s,
        seed=info.seed if info else None,
        command=info.command if info else "",
        cluster=info.cluster if info else {},
        verdicts=list(scenario.verdicts),
        notes=list(scenario.notes),
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of `report.json`, from the types above."""
    described = msgspec.json.schema(RunReport)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def schema_text() -> str:
    """The schema as it stands in docs/reference/report.schema.json."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"
