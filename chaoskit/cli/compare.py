"""`chaoskit compare BEFORE AFTER`: two stored runs side by side."""

from pathlib import Path

import click

from chaoskit.cli.statuses import EXIT_HELD, EXIT_VIOLATED, help_end
from chaoskit.report.compare_page import write_comparison
from chaoskit.report.comparison import compare
from chaoskit.report.markdown import comparison_summary
from chaoskit.report.stored import load_run

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    epilog=help_end(
        ["chaoskit compare reports/BEFORE reports/AFTER --into build"],
        "0 nothing has a worse outcome. 1 something has. 2 called wrongly. 3 no run in a folder."
        " 4 compare.html cannot be written.",
    ),
)
@click.argument("before", metavar="BEFORE", type=_RUN)
@click.argument("after", metavar="AFTER", type=_RUN)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write compare.html, with both timelines, to this folder.",
)
def command(before: Path, after: Path, into: Path | None) -> int:
    """Show what became better or worse from the stored run BEFORE to the run AFTER, as Markdown.

    Both are folders, of a session or of one scenario. Scenarios are matched by their node ids,
    guarantees by name.
    """
    compared = compare(load_run(before), load_run(after))
    click.echo(comparison_summary(compared), nl=False)
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        click.echo(f"report: {write_comparison(compared, into)}", err=True)
    return EXIT_VIOLATED if compared.is_worse else EXIT_HELD
