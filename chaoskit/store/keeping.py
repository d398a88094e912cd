"""From a run's folder to what the store keeps of it."""

from collections.abc import Sequence
from pathlib import Path

from chaoskit import __version__
from chaoskit.errors import RecordError
from chaoskit.guarantees.requests.availability import NoRequestLost
from chaoskit.guarantees.requests.latency import Latency
from chaoskit.guarantees.requests.outage import Outage
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.folder import GuaranteeSpec, RecordFolder
from chaoskit.history.reader import History
from chaoskit.report.html import FILE_NAME
from chaoskit.report.stored import StoredRun, StoredScenario, load_run
from chaoskit.store.kept import KeptRun, KeptScenario, KeptVerdict, Measures

#: Limits that are not judged by here: the three rules only measure, the same for every scenario.
_MEASURED_BY = (NoRequestLost(), Outage(at_most_s=1.0), Latency(at_most_s=1.0))
_RECOVERIES = ("recovery_s",)


def kept_run(folder: Path) -> KeptRun:
    """What is to be kept of the run in this folder, measured from its records.

    Raises `RecordError` when the folder holds no session.
    """
    run = load_run(folder)
    session = run.session
    if session is None:
        raise RecordError(
            "holds no readable session",
            subject=f"folder {folder}",
            seen="; ".join(run.notes) or "the record of one scenario",
            next_step="name the folder of a whole run: the one that holds session.json",
        )
    return KeptRun(
        run_id=session.run_id,
        started_wall_ns=session.started_wall_ns,
        wall_s=session.wall_s,
        outcome=run.outcome,
        finished=session.finished,
        seed=session.seed,
        command=session.command,
        chaoskit=_version(run),
        folder=str(folder.resolve()),
        report=str((folder / FILE_NAME).resolve()),
        options=session.options,
        facts=session.facts,
        scenarios=[_scenario(run, scenario) for scenario in run.scenarios],
    )


def _version(run: StoredRun) -> str:
    """The version that ran it, which is not always the one that keeps it."""
    versions = (s.info.chaoskit_version for s in run.scenarios if s.info is not None)
    return next(versions, __version__)


def _scenario(run: StoredRun, scenario: StoredScenario) -> KeptScenario:
    session_facts = run.session.facts if run.session else {}
    options = run.session.options if run.session else {}
    # A scenario's own record says what it ran on, even where the session changed its cluster.
    facts = {**session_facts, **(scenario.info.cluster if scenario.info else {})}
    # How many a cluster of somebody else's has is not said by the options of the run.
    nodes = f"{facts['servers']}+{facts['agents']}" if {"servers", "agents"} <= facts.keys() else ""
    return KeptScenario(
        slug=scenario.slug,
        nodeid=scenario.nodeid,
        title=scenario.title,
        rows=list(scenario.rows),
        outcome=scenario.outcome,
        reason=scenario.reason,
        wall_s=scenario.wall_s,
        record="" if scenario.folder is None else str(scenario.folder.resolve()),
        kubernetes=facts.get("kubernetes", ""),
        nodes=nodes or ("" if facts.get("provider") == "existing" else options.get("nodes", "")),
        profile=facts.get("profile", "") or options.get("profile", ""),
        image=facts.get("image", ""),
        machine=session_facts.get("machine", ""),
        measures=measured(scenario),
        verdicts=_verdicts(scenario),
    )


def _verdicts(scenario: StoredScenario) -> list[KeptVerdict]:
    specs = _specs(scenario)
    return [
        KeptVerdict(
            guarantee=verdict.guarantee,
            version=verdict.version,
            parameters=_told(spec.parameters, scenario) if spec is not None else {},
            title=verdict.title,
            outcome=verdict.outcome.value,
            summary=verdict.summary,
            figures=verdict.figures,
        )
        for verdict, spec in zip(scenario.verdicts, specs, strict=True)
    ]


def _specs(scenario: StoredScenario) -> Sequence[GuaranteeSpec | None]:
    """The guarantee behind each verdict: verdicts stand in the order in which they were asked."""
    nothing = [None] * len(scenario.verdicts)
    if scenario.folder is None:
        return nothing
    try:
        specs = RecordFolder(scenario.folder).guarantees()
    except RecordError:
        return nothing
    names = [verdict.guarantee for verdict in scenario.verdicts]
    return specs if [spec.name for spec in specs] == names else nothing


def _told(parameters: dict[str, object], scenario: StoredScenario) -> dict[str, object]:
    """Parameters without the one name that is drawn anew for each run: that of the namespace."""
    namespace = scenario.info.namespace if scenario.info else ""
    if not namespace:
        return parameters
    return {
        key: value.replace(namespace, "{namespace}") if isinstance(value, str) else value
        for key, value in parameters.items()
    }


def measured(scenario: StoredScenario) -> Measures:
    """The scenario's measures; all None for a record that cannot be read or has no requests."""
    recoveries = [
        verdict.figures[name]
        for verdict in scenario.verdicts
        for name in _RECOVERIES
        if name in verdict.figures
    ]
    recovery_s = max(recoveries, default=None)
    if scenario.folder is None:
        return Measures(recovery_s=recovery_s)
    try:
        history = History.open(scenario.folder)
        lost, outage, latency = [rule.check(history) for rule in _MEASURED_BY]
    except RecordError:
        return Measures(recovery_s=recovery_s)
    return _measures(lost, outage, latency, recovery_s)


def _measures(
    lost: Verdict, outage: Verdict, latency: Verdict, recovery_s: float | None
) -> Measures:
    requests = lost.coverage.get("requests", 0)
    if not requests:
        return Measures(requests=0, lost=0, recovery_s=recovery_s)
    return Measures(
        requests=requests,
        lost=lost.coverage.get("not ok"),
        downtime_s=outage.figures.get("outage_at_least_s"),
        recovery_s=recovery_s,
        response_p99_s=latency.figures.get("response_p99_s"),
    )
