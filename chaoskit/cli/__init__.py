"""The `chaoskit` command: one file a subcommand, loaded only when it is called."""

import importlib
import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from chaoskit import __version__
from chaoskit.cli.statuses import (
    EXIT_ENVIRONMENT,
    EXIT_HELD,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    help_end,
    of_error,
)
from chaoskit.errors import ChaoskitError

# Subcommand: its one line of help. Its module is `chaoskit.cli.<name>` with dashes as underscores,
# its click command there is named `command`.
SUBCOMMANDS = {
    "doctor": "Say what is there, what is missing, what will be used and why; --fix does it.",
    "image": "Build, list and remove chaoskit's own images.",
    "cluster": "Start, list, use and remove clusters.",
    "faults": "List what can be broken; say all about one fault, or what is open.",
    "inject": "Break one thing by hand for a while, and heal it.",
    "heal": "Heal what killed runs left broken.",
    "lint": "Say what manifests cannot promise, and which scenario would show it.",
    "rollout": "Roll out your own workload under load, and say whether anyone noticed.",
    "check": "Judge a stored run again, from its files alone.",
    "runs": "List, show, compare, add and remove the runs that are kept.",
    "report": "Write the reports of a stored run again; with --since, the trend of all.",
    "compare": "Show two stored runs side by side: what became better, what worse.",
    "schedule": "Print a ready definition for cron, systemd or a Kubernetes CronJob.",
    "completion": "Print what makes a shell complete chaoskit's words.",
}


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Subcommands from the table; asking each for its help would import them all."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, text in SUBCOMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list from the table: asking each command for its help would import them all."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=help_end(
        ["chaoskit doctor --fix", "chaoskit faults nic_down", "chaoskit report --since 30d"],
        "0 held, or done. 1 violated, or worse. 2 called wrongly. 3 nobody can tell."
        " 4 the surroundings failed (engine, cluster, disk). 130 interrupted.",
    ),
)
@click.version_option(__version__, prog_name="chaoskit")
def group() -> None:
    """Break a real Kubernetes cluster while clients use it, and judge the record."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit; the statuses stand in `chaoskit.cli.statuses`."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; what went wrong is said on stderr."""
    try:
        status = group.main(arguments, prog_name="chaoskit", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what is done stays done; the same command goes on", err=True)
        return EXIT_INTERRUPTED
    except SystemExit as end:
        # So click and rich end when the reader of a pipe is gone. Their 1 would be VIOLATED.
        if end.code != 1:
            raise
        return EXIT_ENVIRONMENT
    except OSError as error:  # a full disk or a folder that may not be written
        click.echo(f"chaoskit: {error}", err=True)
        return EXIT_ENVIRONMENT
    except ChaoskitError as error:
        click.echo(f"chaoskit: {error}", err=True)
        return of_error(error)
    return status if isinstance(status, int) else EXIT_HELD
