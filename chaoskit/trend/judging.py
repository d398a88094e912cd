"""From kept runs to the trend: which scenario got worse, and what is too young to tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit import __version__
from chaoskit.store.kept import KeptRun
from chaoskit.trend.report import (
    TREND_SCHEMA,
    ChangePoint,
    GuaranteeTrend,
    MeasureTrend,
    OutcomePoint,
    ScenarioTrend,
    Share,
    State,
    TrendReport,
    ValuePoint,
)
from chaoskit.trend.series import MEASURES, GuaranteeSeries, Point, ScenarioSeries, series_of
from chaoskit.trend.statistics import (
    ALARM_AT_MOST,
    FALSE_SHARE_AT_MOST,
    SIDE_AT_LEAST,
    Changed,
    adjusted,
    can_find_changes,
    changes_in,
    more_often,
)

#: The newest runs of a series, which are compared with all before them.
RECENT_RUNS = 5
#: As many before them again: with fewer, one bad run in three could not be told from none.
BEFORE_AT_LEAST = 5
# A change smaller than this share and than this time is no news, however surely it is there.
_NEWS_SHARE = 0.1
_NEWS_S = 0.01
_RANK: dict[State, int] = {"worse": 0, "better": 1, "steady": 2, "too little history": 3}


@dataclass(frozen=True, kw_only=True)
class _Tested:
    """A share that waits for the p-values of all others, to be adjusted together."""

    share: Share
    better: float | None


def trend_of(
    runs: Sequence[KeptRun], *, since: str, store: str, recent_runs: int = RECENT_RUNS
) -> TrendReport:
    """The trend of these runs; `since` and `store` are said in the report as they are given."""
    all_series = series_of(runs)
    shares = _adjusted(all_series, recent_runs)
    scenarios = [_scenario(series, shares, recent_runs) for series in all_series]
    scenarios.sort(key=lambda each: _RANK[each.state])
    moments = [run.started_wall_ns for run in runs]
    return TrendReport(
        schema=TREND_SCHEMA,
        chaoskit=__version__,
        store=store,
        since=since,
        runs=len(runs),
        first_wall_ns=min(moments, default=None),
        last_wall_ns=max(moments, default=None),
        recent_runs=recent_runs,
        runs_needed=recent_runs + BEFORE_AT_LEAST,
        state=_worst([each.state for each in scenarios]),
        findings=_findings(scenarios),
        notes=_notes(runs),
        scenarios=scenarios,
    )


def _adjusted(
    all_series: Sequence[ScenarioSeries], recent_runs: int
) -> dict[tuple[int, str], _Tested]:
    """Both shares of each guarantee, by its identity, with p-values adjusted over all of them."""
    raw = {
        (id(guarantee), what): _share(guarantee, what, recent_runs)
        for series in all_series
        for guarantee in series.guarantees.values()
        for what in ("VIOLATED", "UNKNOWN")
    }
    tested = [key for key, one in raw.items() if one.share.p_value is not None]
    p_values = adjusted([raw[key].share.p_value or 0.0 for key in tested])
    better = adjusted([raw[key].better or 0.0 for key in tested])
    for key, p_value, p_better in zip(tested, p_values, better, strict=True):
        share = raw[key].share
        values = {name: getattr(share, name) for name in share.__struct_fields__}
        raw[key] = _Tested(share=Share(**{**values, "p_value": p_value}), better=p_better)
    return raw


def _share(guarantee: GuaranteeSeries, what: str, recent_runs: int) -> _Tested:
    """How often in the recent runs and before; of VIOLATED, among the runs that told anything."""
    points = guarantee.points
    if what == "VIOLATED":
        points = [point for point in points if point.outcome != "UNKNOWN"]
    before, recent = points[:-recent_runs], points[-recent_runs:]
    sides = [(sum(p.outcome == what for p in side), len(side)) for side in (before, recent)]
    is_enough = len(before) >= BEFORE_AT_LEAST and len(recent) == recent_runs
    return _Tested(
        share=Share(
            what="VIOLATED" if what == "VIOLATED" else "UNKNOWN",
            before=sides[0][0],
            of_before=sides[0][1],
            recent=sides[1][0],
            of_recent=sides[1][1],
            p_value=more_often(*sides) if is_enough else None,
        ),
        better=more_often(sides[1], sides[0]) if is_enough else None,
    )


def _scenario(
    series: ScenarioSeries, shares: dict[tuple[int, str], _Tested], recent_runs: int
) -> ScenarioTrend:
    guarantees = [
        _guarantee(each, shares[id(each), "VIOLATED"], shares[id(each), "UNKNOWN"], recent_runs)
        for each in series.guarantees.values()
    ]
    measures = [
        _measure(name, title, series.measures[name])
        for name, title in MEASURES.items()
        if name in series.measures  # what no run has measured is no series
    ]
    baseline = series.baseline
    return ScenarioTrend(
        nodeid=baseline.nodeid,
        title=series.title,
        rows=list(series.rows),
        kubernetes=baseline.kubernetes,
        nodes=baseline.nodes,
        profile=baseline.profile,
        machine=baseline.machine,
        outcomes=_outcomes(series.outcomes),
        guarantees=guarantees,
        measures=measures,
        state=_worst([*(each.state for each in guarantees), *(each.state for each in measures)]),
    )


def _guarantee(
    series: GuaranteeSeries, violated: _Tested, unknown: _Tested, recent_runs: int
) -> GuaranteeTrend:
    since = _since(series) if violated.share.p_value is not None else None
    state, said = _state_of_shares(violated, unknown, since, recent_runs)
    if (unknown.share.before or unknown.share.recent) and "UNKNOWN" not in said:
        said += f"; {_in_words(unknown.share)}"
    return GuaranteeTrend(
        guarantee=series.guarantee,
        title=series.title,
        parameters=series.parameters,
        points=_outcomes(series.points),
        violated=violated.share,
        unknown=unknown.share,
        since=None if since is None else since.run_id,
        state=state,
        said=said,
    )


@dataclass(frozen=True, kw_only=True)
class _Since:
    """From this run on it is VIOLATED more often than before, or less often."""

    run_id: str
    state: State
    said: str


def _since(series: GuaranteeSeries) -> _Since | None:
    """The last change of how often it is VIOLATED: what lasts is no news to the recent runs."""
    points = [point for point in series.points if point.outcome != "UNKNOWN"]
    bad = [float(point.outcome == "VIOLATED") for point in points]
    changes = changes_in(bad) if can_find_changes() else []
    if not changes:
        return None
    at = changes[-1].at
    start = changes[-2].at if len(changes) > 1 else 0
    before, after = [(int(sum(side)), len(side)) for side in (bad[start:at], bad[at:])]
    is_worse = after[0] * before[1] > before[0] * after[1]
    p_value = more_often(before, after) if is_worse else more_often(after, before)
    if p_value > ALARM_AT_MOST:
        return None
    return _Since(
        run_id=points[at].run_id,
        state="worse" if is_worse else "better",
        said=f"{'more' if is_worse else 'less'} often VIOLATED since {points[at].run_id}:"
        f" {after[0]} of {after[1]} runs, {before[0]} of {before[1]} before (p = {p_value:.2g})",
    )


def _state_of_shares(
    violated: _Tested, unknown: _Tested, since: _Since | None, recent_runs: int
) -> tuple[State, str]:
    """VIOLATED decides; UNKNOWN is worse only by itself: it is a failing of what watches."""
    if since is not None and since.state == "worse":
        return "worse", since.said
    for tested in (violated, unknown):
        share = tested.share
        if share.p_value is not None and share.p_value <= FALSE_SHARE_AT_MOST:
            return "worse", f"more often {_in_words(share)}"
    share = violated.share
    if share.p_value is None:
        needed = recent_runs + BEFORE_AT_LEAST
        had = share.of_before + share.of_recent
        return "too little history", f"{had} of the {needed} runs needed told HELD or VIOLATED"
    if since is not None:
        return since.state, since.said
    if violated.better is not None and violated.better <= FALSE_SHARE_AT_MOST:
        return "better", f"less often {_in_words(share)}"
    return "steady", _in_words(share)


def _in_words(share: Share) -> str:
    chance = "" if share.p_value is None else f" (p = {share.p_value:.2g})"
    return (
        f"{share.what}: {share.recent} of the last {share.of_recent} runs,"
        f" {share.before} of {share.of_before} before{chance}"
    )


def _measure(name: str, title: str, points: Sequence[Point]) -> MeasureTrend:
    values = [point.value for point in points]
    found = changes_in(values) if can_find_changes() else []
    changes = [_change(points[each.at], each) for each in found if _is_news(each)]
    state, said = _state_of_measure(values, changes)
    return MeasureTrend(
        name=name,
        title=title,
        points=[
            ValuePoint(run_id=p.run_id, started_wall_ns=p.started_wall_ns, value=p.value)
            for p in points
        ],
        changes=changes,
        state=state,
        said=said,
    )


def _state_of_measure(values: Sequence[float], changes: Sequence[ChangePoint]) -> tuple[State, str]:
    needed = 2 * SIDE_AT_LEAST
    if len(values) < needed:
        return "too little history", f"{len(values)} of the {needed} values needed"
    if not can_find_changes():
        return "too little history", "this Python has no release of ruptures, which finds changes"
    if not changes:
        return "steady", f"median {sorted(values)[len(values) // 2]:.3g} s"
    last = changes[-1]
    word: State = "worse" if last.after_s > last.before_s else "better"
    return word, (
        f"{last.before_s:.3g} s before, {last.after_s:.3g} s since {last.run_id}"
        f" (medians; p = {last.p_value:.2g})"
    )


def _is_news(change: Changed) -> bool:
    moved = abs(change.after - change.before)
    return moved > max(_NEWS_SHARE * abs(change.before), _NEWS_S)


def _change(point: Point, change: Changed) -> ChangePoint:
    return ChangePoint(
        run_id=point.run_id,
        started_wall_ns=point.started_wall_ns,
        before_s=change.before,
        after_s=change.after,
        p_value=change.p_value,
    )


def _outcomes(points: Sequence[Point]) -> list[OutcomePoint]:
    return [
        OutcomePoint(run_id=p.run_id, started_wall_ns=p.started_wall_ns, outcome=p.outcome)
        for p in points
    ]


def _worst(states: Sequence[State]) -> State:
    return min(states, key=_RANK.__getitem__, default="too little history")


def _findings(scenarios: Sequence[ScenarioTrend]) -> list[str]:
    """What got worse, then what got better, each in a sentence that names it."""
    found: list[tuple[int, str]] = []
    for scenario in scenarios:
        where = f"{scenario.title} [{scenario.kubernetes}, {scenario.nodes}]"
        followed: list[GuaranteeTrend | MeasureTrend] = [*scenario.guarantees, *scenario.measures]
        found += [
            (_RANK[each.state], f"{each.state}: {where}: {each.title}: {each.said}")
            for each in followed
            if each.state in ("worse", "better")
        ]
    return [sentence for _, sentence in sorted(found, key=lambda each: each[0])]


def _notes(runs: Sequence[KeptRun]) -> list[str]:
    notes = []
    killed = sum(not run.finished for run in runs)
    if killed:
        notes.append(f"{killed} of these runs were killed; what they had done counts.")
    if any(not scenario.machine for run in runs for scenario in run.scenarios):
        notes.append("Runs of older versions name no machine class: they are compared apart.")
    if not can_find_changes():
        notes.append("Changes of measures were not looked for: no ruptures for this Python.")
    return notes
