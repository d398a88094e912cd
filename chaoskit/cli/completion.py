"""`chaoskit completion`: what makes a shell complete chaoskit's words."""

import click
from click.shell_completion import get_completion_class

from chaoskit.cli.statuses import help_end

_VARIABLE = "_CHAOSKIT_COMPLETE"


@click.command(
    epilog=help_end(
        [
            'eval "$(chaoskit completion bash)"     # in ~/.bashrc',
            'eval "$(chaoskit completion zsh)"      # in ~/.zshrc',
            "chaoskit completion fish > ~/.config/fish/completions/chaoskit.fish",
        ],
        "0 printed. 2 called wrongly.",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes subcommands, options, faults and kept runs in SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None  # click knows all three
    root = context.find_root()
    click.echo(kind(root.command, {}, "chaoskit", _VARIABLE).source())
