"""`chaoskit doctor`: what is there, what is missing, what will be used and why."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from chaoskit import clock
from chaoskit.cli.statuses import EXIT_ENVIRONMENT, EXIT_HELD, help_end
from chaoskit.cluster import engine, engine_install, engine_process, images
from chaoskit.cluster.launch import node_image
from chaoskit.cluster.machine import gather
from chaoskit.cluster.machine_assessment import Purpose, Row, assess, is_usable

_MARKS = {
    "ok": ("ok", "green"),
    "note": ("note", "yellow"),
    "fixable": ("to do", "cyan"),
    "missing": ("MISSING", "bold red"),
}


@click.command(
    short_help="what is there, what is missing, what will be used and why",
    epilog=help_end(
        ["chaoskit doctor", "chaoskit doctor --fix", "chaoskit doctor --for unit --json"],
        "0 usable as it is (after --fix, where given). 2 called wrongly. 4 not usable.",
    ),
)
@click.option("--fix", is_flag=True, help="Do what can be done: engine, images, browser.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["unit", "test", "test-all", "demo"]),
    default="test",
    show_default=True,
    help="What the machine shall be able to do.",
)
@click.option("--json", "as_json", is_flag=True, help="The rows as JSON on stdout.")
@click.option("--stop-engine", is_flag=True, help="Stop the engine that --fix started.")
def command(fix: bool, purpose: Purpose, as_json: bool, stop_engine: bool) -> int:
    """Say what is there, what is missing, what will be used and why."""
    progress = Steps()
    if stop_engine:
        engine_process.stop(progress)
        return 0
    rows = assess(gather(), purpose)
    if fix and not is_usable(rows) and not _missing(rows):
        show_todo(rows)
        do(rows, progress)
        rows = assess(gather(), purpose)
    elif fix and is_usable(rows) and not as_json:
        click.echo(summary(rows))
        return 0
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        show(rows)
    return EXIT_HELD if is_usable(rows) else EXIT_ENVIRONMENT


class Steps:
    """Prints each step with the seconds since the command began."""

    def __init__(self) -> None:
        self._started_ns = clock.now_ns()

    def __call__(self, step: str) -> None:
        spent_s = (clock.now_ns() - self._started_ns) / 1e9
        click.echo(f"[{spent_s:6.1f} s] {step}", err=True)


def _missing(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.state == "missing"]


def do(rows: Sequence[Row], progress: Steps) -> None:
    """Do what the fixable rows ask for, in their order. Raises `EngineError`, `ImageError`."""
    for row in rows:
        if row.state != "fixable":
            continue
        if row.name == "container engine":
            found = engine_install.ensure_engine(progress)
            progress(f"engine {found.version} answers at {found.endpoint}")
        elif row.name == "node image":
            ensure_node_image(progress)
        elif row.name == "specimen images":
            build_images("specimen")
        elif row.name == "extra images":
            build_images(*images.EXTRAS)
        elif row.name == "browser":
            engine_install.install(["chromium"], progress)
        else:
            raise AssertionError(f"no remedy is written for the row {row.name!r}")


def ensure_node_image(progress: Steps) -> None:
    """Present, else pulled, else built. An engine that has just been started may hold one."""
    from chaoskit.cluster.k3s_provider import connect  # slow to load, and rarely needed here

    client = connect(engine.require())
    try:
        found = node_image.resolve(client, "auto", progress)
        progress(f"node image: {found.reference}")
    finally:
        client.close()


def build_images(*kinds: str) -> None:
    """Run `chaoskit image build`, whose progress shows on our own terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "chaoskit.cli", "image", "build", *kinds],
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        # It has said on this very screen what is wrong and what to do.
        raise click.exceptions.Exit(done.returncode)


def show_todo(rows: Sequence[Row]) -> None:
    """One line for each thing about to be done."""
    for row in rows:
        if row.state == "fixable":
            click.echo(f"to do: {row.name}: {row.meaning} ({row.seen})", err=True)


def show(rows: tuple[Row, ...]) -> None:
    """The table, and below it what a person or `--fix` has to do."""
    from rich.console import Console  # the table is all that needs rich: most runs show none
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "what", "seen", "meaning"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark, style = _MARKS[row.state]
        table.add_row(f"[{style}]{mark}[/]", row.name, _plain(row.seen), _plain(row.meaning))
    console.print(table)
    for row in rows:
        if row.remedy:
            style = _MARKS[row.state][1]
            console.print(f"[{style}]{row.name}[/]: {_plain(row.remedy)}")
    if is_usable(rows):
        console.print("[green]usable[/]")
    elif _missing(rows):
        console.print("[bold red]not usable[/]: do what is said above, then repeat")
    else:
        console.print("[cyan]not usable yet[/]: `chaoskit doctor --fix` does the rest")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def summary(rows: Sequence[Row]) -> str:
    """One line for a machine that is ready."""
    by_name = {row.name: row.seen for row in rows}
    parts = [f"Python {by_name['Python']}"]
    parts += [
        f"{name} {by_name[name]}" for name in ("container engine", "node image") if name in by_name
    ]
    return f"ready: {', '.join(parts)} (chaoskit doctor shows all)"
