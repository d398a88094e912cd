"""`chaoskit report RUN`: the reports of a stored run again. `--since`: the trend of all runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaoskit import clock
from chaoskit.cli.periods import period_s
from chaoskit.cli.statuses import EXIT_HELD, EXIT_UNKNOWN, EXIT_VIOLATED, help_end, of_outcome
from chaoskit.cli.stores import opened, with_store
from chaoskit.cli.unused_options import require_none
from chaoskit.errors import UsageError
from chaoskit.report.json import schema_text
from chaoskit.report.report import write_all
from chaoskit.report.stored import load_run

if TYPE_CHECKING:
    from chaoskit.trend.report import TrendReport

_STYLES = {"worse": "bold red", "better": "green", "steady": "dim", "too little history": "yellow"}
_FORMS = ("text", "markdown", "json")
_WIDTH = 200  # without a terminal to ask: wide enough for a sentence beside its history


def _print_schema(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(schema_text(), nl=False)
        context.exit()


@click.command(
    "report",
    epilog=help_end(
        [
            "chaoskit report reports/20260301-031205-77",
            "chaoskit report --since 30d",
            "chaoskit report --since 30d --into public/chaos",
            "chaoskit report --since 8w --form markdown --scenario nic_down",
        ],
        "of RUN: 0 written (with --exit-status: 0 all HELD, 1 one VIOLATED, 3 one UNKNOWN), 2"
        " called wrongly, 3 no run in that folder, or its reports cannot be"
        " written. With --since: 0 nothing got worse, 1 something did, 2 called wrongly, 3 too"
        " little history for any of it, 4 the store failed.",
    ),
)
@click.argument(
    "run_folder",
    metavar="[RUN]",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write to this folder; default for RUN: its own.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this report of RUN: html, junit, json or markdown; may be given again.",
)
@click.option("--since", metavar="PERIOD", help="The trend of the runs kept since: 12h, 30d, 8w.")
@click.option("--scenario", metavar="WORD", help="Of --since: scenarios whose node id has it.")
@click.option(
    "--form",
    type=click.Choice(_FORMS),
    help="Of --since: what is printed; default: text.",
)
@with_store
@click.option(
    "--exit-status",
    is_flag=True,
    help="End with 0 if all HELD, 1 if one is VIOLATED, 3 if one is UNKNOWN and none VIOLATED.",
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of report.json and end.",
)
def command(
    run_folder: Path | None,
    into: Path | None,
    only: tuple[str, ...],
    since: str | None,
    scenario: str | None,
    form: str | None,
    store_path: Path | None,
    exit_status: bool,
) -> int:
    """Make the reports of the stored run in the folder RUN again, from its record alone.

    RUN is a session's folder or that of one scenario. No cluster is needed.

    With --since and no RUN: how the kept runs developed, each scenario compared with itself on
    the same Kubernetes, nodes, profile and class of machine. --into writes trend.html, trend.md
    and trend.json besides.
    """
    if (run_folder is None) == (since is None):
        raise UsageError(
            "takes the folder of a run, or --since PERIOD",
            subject="chaoskit report",
            seen="neither" if since is None else "both",
            next_step="chaoskit report --help",
        )
    if since is not None:
        require_none("with --since", only=only, exit_status=exit_status)
        return _trend(since, scenario or "", form or "text", store_path, into)
    require_none("without --since", scenario=scenario, form=form, store=store_path)
    assert run_folder is not None  # one of both is there
    for path in write_all(run_folder, into=into, only=only):
        click.echo(path)
    return of_outcome(load_run(run_folder).outcome) if exit_status else EXIT_HELD


def _trend(since: str, scenario: str, form: str, store_path: Path | None, into: Path | None) -> int:
    # Late: they bring scipy, which the reports of one run need not.
    from chaoskit.trend.judging import trend_of
    from chaoskit.trend.writing import as_json, markdown, write_trend

    since_ns = clock.wall_ns() - int(period_s(since, subject="--since") * 1e9)
    with opened(store_path) as store:
        runs = store.runs(since_wall_ns=since_ns, scenario=scenario)
        where = str(store.path)
    trend = trend_of(runs, since=since, store=where)
    if form == "json":
        click.echo(as_json(trend), nl=False)
    elif form == "markdown":
        click.echo(markdown(trend), nl=False)
    else:
        _show(trend)
    if into is not None:
        for path in write_trend(trend, into):
            click.echo(path, err=form != "text")
    if trend.state == "worse":
        return EXIT_VIOLATED
    return EXIT_UNKNOWN if trend.state == "too little history" else EXIT_HELD


def _show(trend: TrendReport) -> None:
    from chaoskit.trend.writing import heading, strip

    console = Console(width=None if Console().is_terminal else _WIDTH, highlight=False)
    console.print(heading(trend), markup=False)
    for note in trend.notes:
        console.print(note, markup=False)
    for scenario in trend.scenarios:
        console.print()
        title = Text(f"{scenario.title}: ")
        console.print(Text.assemble(title, (scenario.state, _STYLES[scenario.state])))
        where = (scenario.kubernetes, scenario.nodes, scenario.profile, scenario.machine)
        on = ", ".join(part for part in where if part)
        console.print(f"  {scenario.nodeid} on {on}", markup=False)
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for guarantee in scenario.guarantees:
            history = strip([point.outcome for point in guarantee.points])
            state = Text(guarantee.state, _STYLES[guarantee.state])
            table.add_row(state, guarantee.title, history, guarantee.said)
        for measure in scenario.measures:
            state = Text(measure.state, _STYLES[measure.state])
            table.add_row(state, measure.title, f"{len(measure.points)} values", measure.said)
        console.print(table)
    console.print()
    for finding in trend.findings:
        console.print(finding, markup=False)
    console.print(Text(trend.state, _STYLES[trend.state]))
