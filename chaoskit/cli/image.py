"""`chaoskit image`: build, list and remove chaoskit's own images."""

import time
from contextlib import closing
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from chaoskit.cli.statuses import help_end
from chaoskit.cluster import engine as engines
from chaoskit.cluster import images


@click.group(
    epilog=help_end(
        ["chaoskit image build", "chaoskit image build specimen", "chaoskit image ls"],
        "0 done. 2 called wrongly. 4 no engine answers, or an image cannot be built or removed.",
    )
)
def command() -> None:
    """Build, list and remove chaoskit's own images."""


@command.command()
@click.argument("kinds", nargs=-1, type=click.Choice((*images.KINDS, *images.EXTRAS)))
def build(kinds: tuple[str, ...]) -> None:
    """Build what is missing (what all need if no KIND is named); what is there is left as it is."""
    console = Console(highlight=False)
    started = time.monotonic()
    with _client() as client:
        built = images.ensure(client, kinds or images.KINDS, images.Lines(console.print))
    for kind, references in built.items():
        console.print(f"{kind}: {', '.join(references)}")
    console.print(f"images ready after {time.monotonic() - started:.1f} s")


@command.command("ls")
def list_images() -> None:
    """List chaoskit's images in the engine."""
    table = Table("image", "kind", "size", "created", "")
    with _client() as client:
        rows = images.rows(client)
    for row in rows:
        size = f"{row.size_bytes / 1e6:.0f} MB"
        note = "" if row.current else "older sources"
        table.add_row(row.reference, row.kind, size, row.created, note)
    Console().print(table)


@command.command()
@click.argument("references", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of chaoskit's images.")
def rm(references: tuple[str, ...], everything: bool) -> None:
    """Remove images by REFERENCE."""
    with _client() as client:
        if everything:
            references = tuple(row.reference for row in images.rows(client))
        if not references:
            raise click.UsageError("name images to remove, or --all")
        images.remove(client, references)
    click.echo(f"removed {len(references)} images")


def _client() -> closing[Any]:
    return closing(images.connect(engines.require()))
