"""`chaoskit heal`: mend what runs left broken that were killed."""

from contextlib import closing

import click

from chaoskit.cli.statuses import EXIT_HELD, EXIT_VIOLATED, help_end
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.faults.ledger.healing import Healer, nobody_heals
from chaoskit.faults.ledger.ledger import Ledger


@click.command(
    epilog=help_end(
        ["chaoskit heal", "chaoskit heal --all"],
        "0 nothing is open that should not be. 1 something stays open. 2 called wrongly."
        " 4 no engine answers.",
    )
)
@click.option("--all", "everything", is_flag=True, help="Also what running sessions have open.")
def command(everything: bool) -> int:
    """Heal every fault that is open and whose run is gone, the last injected first.

    Says what became of each.
    """
    ledger = Ledger()
    reading = ledger.read()
    wanted = [entry for entry in reading.entries if everything or nobody_heals(entry)]
    failed = len(reading.unreadable)
    if wanted:
        with closing(K3sProvider()) as provider, Healer(provider, ledger) as healer:
            for one in healer.heal(wanted):
                click.echo(one)
                failed += one.outcome == "open"
    for entry in reading.entries:
        if entry not in wanted:
            pid = entry.owner.partition(":")[0]
            click.echo(f"{entry}: left alone: process {pid} has it open, which is {entry.life}")
            click.echo("  next: it heals it; chaoskit heal --all does so now")
    for unreadable in reading.unreadable:
        click.echo(unreadable, err=True)
    if not reading.entries and not reading.unreadable:
        click.echo("nothing is open")
    return EXIT_VIOLATED if failed else EXIT_HELD
