"""A stored run as the reports see it: the session's list and the record folders, reconciled.

Whatever is missing, damaged or of another version becomes a note and an UNKNOWN, never an error
of the whole report.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chaoskit.errors import RecordError
from chaoskit.guarantees.judge import Judgement
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.session import (
    ScenarioOutcome,
    Session,
    SessionScenario,
    read_session,
)

#: The worst last; a row that was not run says nothing about the system.
RANK: dict[ScenarioOutcome, int] = {"NOT_RUN": 0, "HELD": 1, "UNKNOWN": 2, "VIOLATED": 3}
ORDER: tuple[ScenarioOutcome, ...] = ("VIOLATED", "UNKNOWN", "HELD", "NOT_RUN")


@dataclass(frozen=True, kw_only=True)
class StoredScenario:
    """One scenario of a stored run.

    `outcome` is the worst of its verdicts and of what the session says of the test; `reason`
    says why where the verdicts alone do not. `folder` is None when there is no record.
    """

    slug: str
    nodeid: str
    title: str
    doc: str
    rows: tuple[str, ...]
    outcome: ScenarioOutcome
    reason: str
    wall_s: float
    verdicts: tuple[Verdict, ...]
    info: RunInfo | None
    folder: Path | None
    notes: tuple[str, ...]

    @property
    def judged(self) -> ScenarioOutcome | None:
        """The worst of the verdicts alone; None without any."""
        return worst(v.outcome.value for v in self.verdicts) if self.verdicts else None


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A whole run folder; `session` is None where `session.json` is missing or unreadable."""

    folder: Path
    session: Session | None
    scenarios: tuple[StoredScenario, ...]
    notes: tuple[str, ...]

    @property
    def run_id(self) -> str:
        return self.session.run_id if self.session else self.folder.resolve().name

    @property
    def counts(self) -> dict[ScenarioOutcome, int]:
        """How many scenarios have each outcome, all four, the worst first."""
        counted = Counter(s.outcome for s in self.scenarios)
        return {outcome: counted[outcome] for outcome in ORDER}

    @property
    def outcome(self) -> ScenarioOutcome:
        """The worst outcome of all; UNKNOWN when nothing ran."""
        ran = [s.outcome for s in self.scenarios if s.outcome != "NOT_RUN"]
        return worst(ran) if ran else "UNKNOWN"


def worst(outcomes: Iterable[ScenarioOutcome]) -> ScenarioOutcome:
    """VIOLATED > UNKNOWN > HELD > NOT_RUN; raises ValueError for none."""
    return max(outcomes, key=RANK.__getitem__)


def load_run(folder: Path) -> StoredRun:
    """Everything but the histories of a run folder, or of a single record folder.

    Raises `RecordError` when there is neither a session nor a record in it.
    """
    if (folder / "run.json").exists():
        return StoredRun(
            folder=folder, session=None, scenarios=(_scenario(folder, None),), notes=()
        )
    notes = []
    session = None
    try:
        session = read_session(folder)
    except RecordError as error:
        notes.append(f"The session's list could not be read: {error}")
    found = {path.name: path for path in _record_folders(folder)}
    if session is None and not found and not notes:
        raise RecordError(
            "holds neither a session nor a record",
            subject=f"folder {folder}",
            next_step="name the folder of a run, as printed at the end of the session",
        )
    if session is None and not notes:
        notes.append("There is no session.json: scenarios that were not run are not listed.")
    elif session is not None and not session.finished:
        notes.append("The session did not end by itself: scenarios after the last are missing.")
    scenarios = []
    for listed in session.scenarios if session else ():
        scenarios.append(_scenario(found.pop(listed.slug, None), listed))
    scenarios += [_scenario(path, None, listed_in=session) for path in found.values()]
    return StoredRun(folder=folder, session=session, scenarios=tuple(scenarios), notes=tuple(notes))


def _record_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise RecordError("is not a folder", subject=str(folder))
    return sorted(path.parent for path in folder.glob("*/run.json"))


def _scenario(
    folder: Path | None, listed: SessionScenario | None, *, listed_in: Session | None = None
) -> StoredScenario:
    notes: list[str] = []
    info: RunInfo | None = None
    verdicts: tuple[Verdict, ...] = ()
    judged: ScenarioOutcome = "UNKNOWN"
    why = "it left no record"
    if folder is not None:
        record = RecordFolder(folder)
        info = _info(record, notes)
        verdicts, judged, why = _judged(record)
    if listed_in is not None and listed is None:
        notes.append("The session's list does not name this scenario: it did not end.")
    outcome, reason = _reconciled(listed, judged, why, has_verdicts=bool(verdicts))
    nodeid = listed.nodeid if listed else info.scenario if info else ""
    slug = folder.name if folder else listed.slug if listed else ""
    return StoredScenario(
        slug=slug,
        nodeid=nodeid or slug,
        title=(listed.title if listed else "") or (info.title if info else "") or nodeid or slug,
        doc=(info.description if info else "") or (listed.doc if listed else ""),
        rows=tuple((listed.rows if listed else []) or (info.rows if info else [])),
        outcome=outcome,
        reason=reason,
        wall_s=listed.wall_s if listed else 0.0,
        verdicts=verdicts,
        info=info,
        folder=folder,
        notes=tuple(notes),
    )


def _info(record: RecordFolder, notes: list[str]) -> RunInfo | None:
    try:
        return record.info()
    except RecordError as error:
        notes.append(f"What ran could not be read: {error}")
        return None


def _judged(record: RecordFolder) -> tuple[tuple[Verdict, ...], ScenarioOutcome, str]:
    if not record.has_verdicts():
        return (), "UNKNOWN", "it ended before its record was judged (no verdicts.json)"
    try:
        judgement = record.verdicts(Judgement)
    except RecordError as error:
        return (), "UNKNOWN", f"its verdicts could not be read: {error}"
    why = "" if judgement.verdicts else "it asked for no guarantee"
    return tuple(judgement.verdicts), judgement.outcome.value, why


def _reconciled(
    listed: SessionScenario | None, judged: ScenarioOutcome, why: str, *, has_verdicts: bool
) -> tuple[ScenarioOutcome, str]:
    """The worse of what the session and the verdicts say, with the reason of the worse one."""
    if listed is None:
        return judged, why
    if listed.outcome == "NOT_RUN" and not has_verdicts:
        return "NOT_RUN", listed.reason
    outcome = worst([listed.outcome, judged])
    reasons = [listed.reason] if listed.reason else []
    if why and (judged == outcome or not reasons):
        reasons.append(why)
    return outcome, "; ".join(reasons)
