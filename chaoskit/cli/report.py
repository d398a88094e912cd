"""`chaoskit report RUN`: make the reports of a stored run again."""

from pathlib import Path

import click

from chaoskit.history.session import ScenarioOutcome
from chaoskit.report.json import schema_text
from chaoskit.report.report import write_all
from chaoskit.report.stored import load_run

#: A row that was not run says nothing; a session of nothing else is UNKNOWN.
EXIT_STATUS: dict[ScenarioOutcome, int] = {"HELD": 0, "VIOLATED": 1, "UNKNOWN": 2, "NOT_RUN": 2}


def _print_schema(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(schema_text(), nl=False)
        context.exit()


@click.command("report")
@click.argument(
    "run_folder", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write them to this folder instead of the run's own.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this report: html, junit, json or markdown; may be given again.",
)
@click.option(
    "--exit-status",
    is_flag=True,
    help="End with 0 if all HELD, 1 if one is VIOLATED, 2 if one is UNKNOWN and none VIOLATED.",
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of report.json and end.",
)
def command(run_folder: Path, into: Path | None, only: tuple[str, ...], exit_status: bool) -> int:
    """Make the reports of the stored run in the folder RUN again, from its record alone.

    RUN is a session's folder or that of one scenario. No cluster is needed.
    """
    for path in write_all(run_folder, into=into, only=only):
        click.echo(path)
    return EXIT_STATUS[load_run(run_folder).outcome] if exit_status else 0
