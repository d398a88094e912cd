"""`chaoskit check RUN`: judge a stored run again, from its files alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaoskit import __version__
from chaoskit.cli.statuses import help_end, of_outcome
from chaoskit.errors import RecordError
from chaoskit.guarantees.judge import Judgement, decode, judge, judgement
from chaoskit.guarantees.verdict import Outcome, Verdict, merge
from chaoskit.history.folder import GuaranteeSpec, RecordFolder
from chaoskit.history.reader import History
from chaoskit.report.stored import load_run

_STYLES = {Outcome.HELD: "green", Outcome.VIOLATED: "bold red", Outcome.UNKNOWN: "yellow"}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One record judged again; `before` is the outcome stored with it, None without one."""

    slug: str
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    reason: str
    before: Outcome | None


@click.command(
    "check",
    epilog=help_end(
        [
            "chaoskit check reports/20260301-031205-77",
            "chaoskit check reports/20260301-031205-77 --write",
        ],
        "0 all HELD. 1 one is VIOLATED. 2 called wrongly. 3 one is UNKNOWN and none VIOLATED, or"
        " the record cannot be read.",
    ),
)
@click.argument(
    "run_folder", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--write", is_flag=True, help="Store the new verdicts in place of the old ones.")
def command(run_folder: Path, write: bool) -> int:
    """Judge the stored run in the folder RUN again, by today's rules, from its files alone.

    RUN is a session's folder or that of one scenario. The guarantees and their parameters are
    those stored in the record.
    """
    folders = [s.folder for s in load_run(run_folder).scenarios if s.folder is not None]
    checked = [check_record(RecordFolder(folder), write=write) for folder in folders]
    # Wide enough for a whole sentence also where there is no terminal to ask for its width.
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(table_of(checked))
    for record in checked:
        if record.before is not None and record.before != record.outcome:
            console.print(f"{record.slug}: was {record.before}, is now {record.outcome}")
    outcome = merge(record.outcome for record in checked)
    console.print(Text(outcome.value, _STYLES[outcome]))
    return of_outcome(outcome)


def check_record(record: RecordFolder, *, write: bool = False) -> Checked:
    """Judge one record. What cannot be read is UNKNOWN, with the reason."""
    verdicts: list[Verdict] = []
    reason = ""
    try:
        history = History.open(record.path)
        for spec in record.guarantees():
            verdicts += _judged(history, spec)
        reason = "" if verdicts else "it asked for no guarantee"
    except RecordError as error:
        verdicts, reason = [], str(error)
    fresh = judgement(verdicts, chaoskit_version=__version__)
    before = _before(record)
    if write and verdicts:
        record.write_verdicts(fresh)
    return Checked(
        slug=record.path.name,
        verdicts=tuple(verdicts),
        outcome=fresh.outcome,
        reason=reason,
        before=before,
    )


def _judged(history: History, spec: GuaranteeSpec) -> Sequence[Verdict]:
    """By itself, so that a guarantee that is not known here does not hide the others."""
    try:
        guarantees = decode([spec])
    except RecordError as error:
        return [
            Verdict(
                guarantee=spec.name,
                version=spec.version,
                title=spec.name,
                outcome=Outcome.UNKNOWN,
                summary=f"cannot tell: {error}",
            )
        ]
    return judge(history, guarantees)


def _before(record: RecordFolder) -> Outcome | None:
    """What is stored; unreadable verdicts count as none, as they are about to be made anew."""
    try:
        return record.verdicts(Judgement).outcome if record.has_verdicts() else None
    except RecordError:
        return None


def table_of(checked: Sequence[Checked]) -> Table:
    """A row for each verdict, and for each record that has none."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("outcome", "scenario", "guarantee", "summary"):
        table.add_column(title, overflow="fold", no_wrap=title == "outcome")
    for record in checked:
        rows = [(v.outcome, v.title, v.summary) for v in record.verdicts]
        for outcome, title, summary in rows or [(Outcome.UNKNOWN, "", record.reason)]:
            table.add_row(
                Text(outcome.value, _STYLES[outcome]), Text(record.slug), Text(title), Text(summary)
            )
    return table
