"""Series of runs that can be compared: one scenario on one Kubernetes, nodes and machine class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from chaoskit.store.kept import KeptRun, KeptScenario, KeptVerdict

#: The measures that are followed over time, each better the smaller it is, in seconds.
MEASURES = {
    "downtime_s": "longest downtime",
    "recovery_s": "recovery",
    "response_p99_s": "response time, p99",
}


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What has to be equal for one run to say anything about another.

    `nodes` is servers+agents; `profile` the node-loss profile, by which deadlines are computed.
    """

    nodeid: str
    kubernetes: str
    nodes: str
    profile: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run's part in a series: a verdict's outcome, or a measure's value."""

    run_id: str
    started_wall_ns: int
    outcome: str = ""
    value: float = 0.0


@dataclass(kw_only=True)
class GuaranteeSeries:
    """The outcomes of one guarantee, asked with the same parameters, the oldest first."""

    guarantee: str
    title: str
    parameters: str
    points: list[Point] = field(default_factory=list)


@dataclass(kw_only=True)
class ScenarioSeries:
    """All runs of a scenario on one baseline, the oldest first.

    `outcomes` are those of the whole test. `title` and `rows` are those of the newest run.
    """

    baseline: Baseline
    title: str = ""
    rows: tuple[str, ...] = ()
    outcomes: list[Point] = field(default_factory=list)
    guarantees: dict[tuple[str, str, int], GuaranteeSeries] = field(default_factory=dict)
    measures: dict[str, list[Point]] = field(default_factory=dict)


def series_of(runs: Sequence[KeptRun]) -> list[ScenarioSeries]:
    """The series in these runs, by node id. What was not run is in none of them."""
    found: dict[Baseline, ScenarioSeries] = {}
    for run in sorted(runs, key=lambda each: each.started_wall_ns):
        for scenario in run.scenarios:
            if scenario.outcome == "NOT_RUN":
                continue
            baseline = _baseline(scenario)
            series = found.setdefault(baseline, ScenarioSeries(baseline=baseline))
            _add(series, run, scenario)
    return sorted(found.values(), key=lambda each: msgspec.json.encode(each.baseline))


def _baseline(scenario: KeptScenario) -> Baseline:
    return Baseline(
        nodeid=scenario.nodeid,
        kubernetes=scenario.kubernetes,
        nodes=scenario.nodes,
        profile=scenario.profile,
        machine=scenario.machine,
    )


def _add(series: ScenarioSeries, run: KeptRun, scenario: KeptScenario) -> None:
    def point(outcome: str = "", value: float = 0.0) -> Point:
        return Point(
            run_id=run.run_id,
            started_wall_ns=run.started_wall_ns,
            outcome=outcome,
            value=value,
        )

    series.title, series.rows = scenario.title, tuple(scenario.rows)
    series.outcomes.append(point(scenario.outcome))
    for key, verdict in _keyed(scenario.verdicts):
        guarantee = series.guarantees.setdefault(
            key,
            GuaranteeSeries(guarantee=verdict.guarantee, title=verdict.title, parameters=key[1]),
        )
        guarantee.points.append(point(verdict.outcome))
    for name in MEASURES:
        value = getattr(scenario.measures, name)
        if value is not None:
            series.measures.setdefault(name, []).append(point(value=value))


def _keyed(
    verdicts: Sequence[KeptVerdict],
) -> Iterator[tuple[tuple[str, str, int], KeptVerdict]]:
    """Each verdict with its name, its parameters in words, and its number among equal ones.

    Other parameters are another claim: their verdicts are not compared.
    """
    seen: dict[tuple[str, str], int] = {}
    for verdict in verdicts:
        given = {key: value for key, value in verdict.parameters.items() if value is not None}
        name = verdict.guarantee, msgspec.json.encode(given, order="sorted").decode()
        seen[name] = seen.get(name, 0) + 1
        yield (*name, seen[name]), verdict
