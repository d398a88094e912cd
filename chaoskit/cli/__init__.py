"""The `chaoskit` command: one file a subcommand, loaded only when it is called."""

import importlib
import sys
from collections.abc import Sequence

import click

from chaoskit import __version__
from chaoskit.errors import ChaoskitError, UsageError

# Subcommand: its one line of help. Its module is `chaoskit.cli.<name>` with dashes as underscores,
# its click command there is named `command`.
SUBCOMMANDS = {
    "doctor": "Say what is there, what is missing, what will be used and why; --fix does it.",
    "image": "Build, list and remove chaoskit's own images.",
    "cluster": "Start, list, use and remove clusters.",
    "faults": "List what can be broken; say all about one fault, or what is open.",
    "inject": "Break one thing by hand for a while, and heal it.",
    "heal": "Heal what killed runs left broken.",
    "check": "Judge a stored run again, from its files alone.",
    "report": "Write the reports of a stored run again.",
    "compare": "Show two stored runs side by side: what became better, what worse.",
}

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"chaoskit.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list from the table: asking each command for its help would import them all."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chaoskit")
def group() -> None:
    """Break a real Kubernetes cluster while clients use it, and judge the record."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 as wished, 1 failed, 2 wrongly called, 130 interrupted."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; what went wrong is said on stderr."""
    try:
        status = group.main(arguments, prog_name="chaoskit", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what is done stays done; the same command goes on", err=True)
        return EXIT_INTERRUPTED
    except ChaoskitError as error:
        click.echo(f"chaoskit: {error}", err=True)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    return status if isinstance(status, int) else 0
