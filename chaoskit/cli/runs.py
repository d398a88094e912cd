"""`chaoskit runs`: the runs that are kept."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaoskit import clock
from chaoskit.cli.periods import period_s
from chaoskit.cli.statuses import EXIT_HELD, EXIT_VIOLATED, help_end, of_outcome
from chaoskit.cli.stores import complete_run, opened, with_store
from chaoskit.errors import ChaoskitError, RecordError, UsageError
from chaoskit.history.session import read_session
from chaoskit.store.differences import ABSENT, Change, changes
from chaoskit.store.keeping import kept_run
from chaoskit.store.kept import KeptRun, KeptScenario
from chaoskit.store.store import RunLine, Store, default_path

_STYLES = {"HELD": "green", "VIOLATED": "bold red", "UNKNOWN": "yellow", "NOT_RUN": "dim"}
_MOST = 2**31 - 1  # as many as the store can count
_WIDTH = 160  # without a terminal to ask: wide enough for a sentence
_MEASURE_WORDS = {
    "requests": "{} requests",
    "lost": "{} lost",
    "downtime_s": "downtime {:.3g} s",
    "recovery_s": "recovery {:.3g} s",
    "response_p99_s": "p99 {:.3g} s",
}

_STATUSES = "0 done. 2 called wrongly, or no such run. 4 the store cannot be read or written."


@click.group(
    epilog=help_end(
        ["chaoskit runs ls --since 7d", "chaoskit runs show latest", "chaoskit runs diff A B"],
        f"{_STATUSES} Others stand with each of the subcommands.",
    )
)
def command() -> None:
    """List, show, compare, add and remove the runs that are kept.

    Every finished pytest run with scenarios is kept by itself (pytest's --chaos-store says where).
    """


@command.command(epilog=help_end(["chaoskit runs ls", "chaoskit runs ls --since 7d"], _STATUSES))
@click.option("--since", default="", metavar="PERIOD", help="Only runs so recent: 12h, 30d, 8w.")
@click.option("--last", type=click.IntRange(1, _MOST), help="Only so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_store
def ls(since: str, last: int | None, as_json: bool, store_path: Path | None) -> int:
    """List the runs that are kept, the newest first."""
    with opened(store_path) as store:
        lines = store.lines(since_wall_ns=_since_ns(since), at_most=last)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], indent=1))
        return EXIT_HELD
    if not lines:
        click.echo("no run is kept" + (f" from the last {since}" if since else ""))
        return EXIT_HELD
    table = _table("run", "started (UTC)", "took", "outcome", "scenarios", "on")
    for line in lines:
        counts = ", ".join(f"{count} {name.lower()}" for name, count in line.counts.items())
        where = ", ".join(part for part in (line.kubernetes, line.nodes, line.machine) if part)
        outcome = Text(line.outcome, _STYLES[line.outcome])
        table.add_row(line.run_id, line.started, f"{line.wall_s:.0f} s", outcome, counts, where)
    _console().print(table)
    return EXIT_HELD


@command.command(
    epilog=help_end(
        ["chaoskit runs show latest", "chaoskit runs show 20260301-0312"],
        "that of the run: 0 HELD, 1 VIOLATED, 3 UNKNOWN. 2 no such run. 4 the store failed.",
    )
)
@click.argument("run", metavar="RUN", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_store
def show(run: str, as_json: bool, store_path: Path | None) -> int:
    """Say all that is kept of RUN: its id, the beginning of it, or "latest"."""
    with opened(store_path) as store:
        found = store.find(run)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1))
    else:
        _show(found)
    return of_outcome(found.outcome)


@command.command(
    epilog=help_end(
        ["chaoskit runs diff 20260301-031205-77 latest", "chaoskit runs diff A B --all"],
        "0 nothing that held in RUN is worse in OTHER. 1 something is. 2 no such run."
        " 4 the store failed.",
    )
)
@click.argument("run", metavar="RUN", shell_complete=complete_run)
@click.argument("other", metavar="OTHER", shell_complete=complete_run)
@click.option("--all", "everything", is_flag=True, help="Also what is the same in both.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_store
def diff(run: str, other: str, everything: bool, as_json: bool, store_path: Path | None) -> int:
    """Say what is different in OTHER from RUN: outcomes, guarantees, measures, surroundings.

    One run against one says what happened, not whether it is chance: chaoskit report --since does.
    """
    with opened(store_path) as store:
        found = changes(store.find(run), store.find(other))
    shown = [each for each in found if everything or not each.is_same]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in shown], indent=1))
    elif not shown:
        click.echo("nothing is different")
    else:
        table = _table("scenario", "what", "before", "after")
        for each in shown:
            what = each.what or each.kind
            table.add_row(each.scenario, what, _styled(each.before), _styled(each.after))
        _console().print(table)
    return EXIT_VIOLATED if any(_is_worse(each) for each in found) else EXIT_HELD


@command.command(
    epilog=help_end(
        ["chaoskit runs add reports/20260301-031205-77", "chaoskit runs add reports/2026*"],
        "0 all are kept. 2 called wrongly. 3 a folder holds no run that can be read."
        " 4 the store cannot be written.",
    )
)
@click.argument(
    "folders",
    metavar="FOLDER...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@with_store
def add(folders: Sequence[Path], store_path: Path | None) -> int:
    """Keep stored runs that are not kept yet; what is kept already is replaced.

    A run that the store refused when it ended (locked, disk full) is added so.
    """
    unreadable: list[RecordError] = []
    with Store(default_path() if store_path is None else store_path) as store:
        for folder in folders:
            try:
                run = kept_run(folder)
            except RecordError as error:
                unreadable.append(error)
                click.echo(f"not kept: {error}", err=True)
                continue
            store.add(run)
            click.echo(f"kept: {run.run_id}, {run.outcome}, {len(run.scenarios)} scenarios")
    if unreadable:
        raise RecordError(
            f"{len(unreadable)} of {len(folders)} folders could not be read; the others are kept",
            subject="runs add",
        )
    return EXIT_HELD


@command.command(
    epilog=help_end(
        [
            "chaoskit runs prune --older-than 90d --dry-run",
            "chaoskit runs prune --keep-last 200 --records",
        ],
        f"{_STATUSES}",
    )
)
@click.option("--older-than", default="", metavar="PERIOD", help="Runs that began longer ago.")
@click.option("--keep-last", type=click.IntRange(min=0), help="All but so many, the newest.")
@click.option("--records", is_flag=True, help="Also the folders of their records and reports.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@with_store
def prune(
    older_than: str,
    keep_last: int | None,
    records: bool,
    dry_run: bool,
    store_path: Path | None,
) -> int:
    """Remove old runs from the store; with both limits, those beyond both."""
    if not older_than and keep_last is None:
        raise UsageError(
            "needs a limit",
            subject="chaoskit runs prune",
            next_step="give --older-than PERIOD, --keep-last N, or both",
        )
    with opened(store_path) as store:
        lines = store.lines()[keep_last or 0 :]
        if older_than:
            before_ns = _since_ns(older_than, "--older-than")
            lines = [line for line in lines if line.started_wall_ns < before_ns]
        for line in lines:
            click.echo(f"{'would remove' if dry_run else 'removing'} {line.run_id}")
        if dry_run or not lines:
            click.echo(
                f"{len(lines)} runs" + (" would be removed" if dry_run else ": nothing to do")
            )
            return EXIT_HELD
        if records:
            for line in lines:
                _remove_records(line)
        click.echo(f"removed {store.remove(lines)} runs")
    return EXIT_HELD


def _remove_records(line: RunLine) -> None:
    """Remove a run's folder, if it still is that run's: a path alone proves nothing."""
    folder = Path(line.folder)
    try:
        session = read_session(folder)
    except ChaoskitError:
        session = None
    if session is None or session.run_id != line.run_id:
        click.echo(f"  left alone: {folder} is not the folder of {line.run_id} any more")
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        click.echo(f"  left in part: {folder}: {error}", err=True)


def _since_ns(period: str, option: str = "--since") -> int:
    """The moment so long ago, since the epoch; 0 for no period."""
    return clock.wall_ns() - int(period_s(period, subject=option) * 1e9) if period else 0


def _is_worse(change: Change) -> bool:
    """Something that held before, and does not now."""
    is_verdict = change.kind in ("outcome", "guarantee")
    return is_verdict and change.before == "HELD" and change.after not in ("HELD", ABSENT)


def _show(run: KeptRun) -> None:
    console = _console()
    head = Text.assemble(f"{run.run_id}: ", (run.outcome, _STYLES[run.outcome]))
    console.print(head)
    facts = {
        "seed": str(run.seed),
        "took": f"{run.wall_s:.1f} s" + ("" if run.finished else ", and was killed"),
        "chaoskit": run.chaoskit,
        **{name: run.facts.get(name, "") for name in ("image", "kubernetes", "profile", "machine")},
        "folder": run.folder,
        "report": run.report,
        "repeat with": run.command,
    }
    for name, value in facts.items():
        if value:
            console.print(f"  {name}: {value}", markup=False)
    for scenario in run.scenarios:
        _show_scenario(console, scenario)


def _show_scenario(console: Console, scenario: KeptScenario) -> None:
    console.print()
    line = Text(scenario.outcome, _STYLES[scenario.outcome])
    console.print(Text.assemble(line, f" {' '.join(scenario.rows)} {scenario.title}"))
    console.print(f"  {scenario.nodeid}", markup=False)
    if scenario.reason:
        console.print(f"  {scenario.reason}", markup=False)
    values = msgspec.structs.asdict(scenario.measures)
    told = [
        words.format(values[name])
        for name, words in _MEASURE_WORDS.items()
        if values[name] is not None
    ]
    if told:
        console.print(f"  {', '.join(told)}", markup=False)
    for verdict in scenario.verdicts:
        outcome = Text(f"  {verdict.outcome:<8}", _STYLES[verdict.outcome])
        console.print(Text.assemble(outcome, f" {verdict.title}: {verdict.summary}"))


def _styled(value: str) -> Text:
    return Text(value, _STYLES.get(value, ""))


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _console() -> Console:
    return Console(width=None if Console().is_terminal else _WIDTH, highlight=False)
