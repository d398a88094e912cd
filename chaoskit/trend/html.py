"""The trend for people: one HTML file without a server, a network, or JavaScript."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

import jinja2

from chaoskit.trend.report import GuaranteeTrend, MeasureTrend, ScenarioTrend, TrendReport

_STRIP_PX = 640.0
_CELL_PX = 22.0
_CELL_AT_LEAST_PX = 1.5
_CURVE_PX = 64.0
_MARGIN_PX = 6.0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run in a strip of outcomes."""

    x: float
    width: float
    outcome: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One run on a curve; `is_change`: from here on the values are others."""

    x: float
    y: float
    title: str
    is_change: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """A guarantee or a measure as the template shows it: a strip or a curve."""

    title: str
    state: str
    said: str
    width: float
    cells: tuple[Cell, ...] = ()
    dots: tuple[Dot, ...] = ()
    top: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A scenario on one baseline."""

    scenario: ScenarioTrend
    rows: tuple[Row, ...]


def page(trend: TrendReport) -> str:
    """The whole page; its size grows with the scenarios and runs, not with requests."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("chaoskit.trend"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("trend.html.j2")
    sections = [_section(scenario) for scenario in trend.scenarios]
    look = resources.files("chaoskit.report").joinpath("templates", "style.css")
    return template.render(
        trend=trend,
        sections=sections,
        style=look.read_text("utf-8"),
        first=_day(trend.first_wall_ns),
        last=_day(trend.last_wall_ns),
        curve_px=_CURVE_PX,
        cell_px=_CELL_PX,
    )


def _section(scenario: ScenarioTrend) -> Section:
    runs = [point.run_id for point in scenario.outcomes]
    rows = [_strip(guarantee, runs) for guarantee in scenario.guarantees]
    rows += [_curve(measure, runs) for measure in scenario.measures]
    return Section(scenario=scenario, rows=tuple(rows))


def _places(runs: Sequence[str]) -> tuple[dict[str, float], float]:
    """Where each run stands: the same for all rows of a scenario, so that they line up."""
    step = max(min(_CELL_PX, _STRIP_PX / max(len(runs), 1)), _CELL_AT_LEAST_PX)
    return {run_id: round(number * step, 2) for number, run_id in enumerate(runs)}, step


def _strip(guarantee: GuaranteeTrend, runs: Sequence[str]) -> Row:
    places, step = _places(runs)
    cells = [
        Cell(
            x=places[point.run_id],
            width=round(step * 0.88, 2),
            outcome=point.outcome.lower(),
            title=f"{point.run_id}: {point.outcome}",
        )
        for point in guarantee.points
        if point.run_id in places
    ]
    return Row(
        title=guarantee.title,
        state=guarantee.state,
        said=guarantee.said,
        width=round(step * len(runs), 2),
        cells=tuple(cells),
    )


def _curve(measure: MeasureTrend, runs: Sequence[str]) -> Row:
    places, step = _places(runs)
    top = max((point.value for point in measure.points), default=0.0)
    changed = {change.run_id for change in measure.changes}
    inner = _CURVE_PX - 2 * _MARGIN_PX
    dots = [
        Dot(
            x=round(places[point.run_id] + step * 0.44, 2),
            y=round(_MARGIN_PX + inner * (1 - (point.value / top if top else 0.0)), 2),
            title=f"{point.run_id}: {point.value:.4g} s",
            is_change=point.run_id in changed,
        )
        for point in measure.points
        if point.run_id in places
    ]
    return Row(
        title=measure.title,
        state=measure.state,
        said=measure.said,
        width=round(step * len(runs), 2),
        dots=tuple(dots),
        top=f"{top:.3g} s" if measure.points else "no value",
    )


def _day(wall_ns: int | None) -> str:
    if wall_ns is None:
        return "-"
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
