"""`chaoskit faults`: what can be broken, and what is broken now."""

import dataclasses
import inspect

import click
from click.shell_completion import CompletionItem

from chaoskit import clock
from chaoskit.cli.statuses import EXIT_HELD, EXIT_VIOLATED, help_end
from chaoskit.errors import UsageError
from chaoskit.faults.catalogue import fault_type, fault_types, fields_of
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.ledger import Ledger


@click.command(
    epilog=help_end(
        ["chaoskit faults", "chaoskit faults nic_down", "chaoskit faults --open"],
        "0 said. 1 what is open cannot be read in full. 2 called wrongly, or no such fault.",
    )
)
@click.argument("name", required=False, shell_complete=lambda _c, _p, begun: complete_fault(begun))
@click.option("--open", "only_open", is_flag=True, help="What is injected and not healed yet.")
def command(name: str | None, only_open: bool) -> int:
    """List the faults; with NAME, say all about one."""
    if name is not None and only_open:
        raise UsageError("takes a name or --open, not both", subject="chaoskit faults", seen=name)
    if only_open:
        return _show_open()
    if name is None:
        _list()
    else:
        _explain(name)
    return 0


def complete_fault(begun: str) -> list[CompletionItem]:
    """Names of faults for the shell."""
    return [CompletionItem(name) for name in sorted(fault_types()) if name.startswith(begun)]


def required_of(kind: type[Fault]) -> list[str]:
    """The parameters without a default, in their order: what TARGET stands for."""
    missing = dataclasses.MISSING
    return [
        field.name
        for field in fields_of(kind)
        if field.default is missing and field.default_factory is missing
    ]


def usage_of(kind: type[Fault]) -> str:
    """How it is injected by hand."""
    target = "/".join(name.upper() for name in required_of(kind)) or "-"
    return f"chaoskit inject {kind.name} {target} --for 30s"


def _list() -> None:
    kinds = fault_types()
    width = max(len(name) for name in kinds)
    for name, kind in sorted(kinds.items()):
        first = (inspect.getdoc(kind) or "").splitlines()[0].rstrip(".").replace("`", "")
        needs = ", ".join(sorted(kind.requires)) or "nothing"
        click.echo(f"{name:<{width}}  {first}  [requires: {needs}]")


def _explain(name: str) -> None:
    kind = fault_type(name)
    click.echo(f"{name}\n\n{inspect.getdoc(kind)}\n")
    click.echo("Parameters:")
    for field in fields_of(kind):
        kind_of_value = getattr(field.type, "__name__", str(field.type))
        default = "" if field.default is dataclasses.MISSING else f" = {field.default!r}"
        click.echo(f"  {field.name}: {kind_of_value}{default}")
    click.echo(f"\n{usage_of(kind)}")


def _show_open() -> int:
    reading = Ledger().read()
    for entry in reading.entries:
        pid = entry.owner.partition(":")[0]
        line = f"{entry}  [{entry.id}] process {pid} is {entry.life}"
        if entry.boot_id == clock.boot_id():
            since_s = (clock.now_ns() - entry.requested_ns) / 1e9
            line += f", open for {since_s:.0f} s"
        click.echo(line)
    for unreadable in reading.unreadable:
        click.echo(unreadable, err=True)
    if not reading.entries and not reading.unreadable:
        click.echo("nothing is open")
    return EXIT_VIOLATED if reading.unreadable else EXIT_HELD
