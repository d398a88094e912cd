"""`chaoskit schedule`: ready definitions for those who run things at a time, which we do not."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from chaoskit.cli.scheduled import cron, cronjob, systemd
from chaoskit.cli.scheduled.plan import DAYS, Plan, checked
from chaoskit.cli.statuses import help_end
from chaoskit.errors import UsageError

F = TypeVar("F")

_STATUSES = "0 printed. 2 called wrongly."


def _with_plan(function: F) -> F:
    """The options that all three forms take."""
    made: Any = function
    for option in reversed(
        (
            click.option("--at", default="03:00", show_default=True, help="HH:MM, each time."),
            click.option("--on", "day", type=click.Choice(DAYS), help="This day only; else daily."),
            click.option("--keep", default="90d", show_default=True, help="Runs kept so long."),
            click.option("--since", default="30d", show_default=True, help="Of the trend."),
            click.argument("selection", nargs=-1, type=click.UNPROCESSED),
        )
    ):
        made = option(made)
    return made  # type: ignore[no-any-return]


def _with_places(function: F) -> F:
    """Where it runs on this machine, and where the report goes."""
    made: Any = function
    folder = click.Path(file_okay=False, path_type=Path)
    for option in reversed(
        (
            click.option("--project", type=folder, default=".", help="Runs there; default: here."),
            click.option(
                "--publish",
                type=folder,
                default="reports/trend",
                show_default=True,
                help="The folder that the trend is written to.",
            ),
            click.option(
                "--store",
                type=click.Path(dir_okay=False, path_type=Path),
                help="The store of runs; default: that of the user who runs it.",
            ),
        )
    ):
        made = option(made)
    return made  # type: ignore[no-any-return]


@click.group(
    epilog=help_end(
        [
            "chaoskit schedule cron --at 03:30 -- scenarios -m demo | crontab -",
            "chaoskit schedule systemd --on sun --publish /srv/www/chaos -- scenarios",
            "chaoskit schedule cronjob --image IMAGE -- scenarios | kubectl apply -f -",
        ],
        _STATUSES,
    )
)
def command() -> None:
    """Print a definition that runs a selection of scenarios, keeps the runs, and publishes.

    SELECTION is what pytest is given, after "--"; default: scenarios. Nothing is installed here.
    """


@command.command(
    "cron",
    epilog=help_end(["chaoskit schedule cron --at 03:30 -- scenarios -m demo"], _STATUSES),
)
@_with_plan
@_with_places
def cron_command(**plan: Any) -> None:
    """A line for crontab(1)."""
    made = _plan_here(**plan)
    click.echo(cron.crontab(made), nl=False)


@command.command(
    "systemd",
    epilog=help_end(
        [
            "chaoskit schedule systemd --unit service > ~/.config/systemd/user/chaoskit.service",
            "chaoskit schedule systemd --unit timer > ~/.config/systemd/user/chaoskit.timer",
            "systemctl --user enable --now chaoskit.timer",
        ],
        _STATUSES,
    ),
)
@_with_plan
@_with_places
@click.option("--unit", type=click.Choice(["service", "timer"]), help="One alone; else both.")
def systemd_command(unit: str | None, **plan: Any) -> None:
    """A service and its timer, for a user or the system."""
    made = _plan_here(**plan)
    texts = {"service": systemd.service(made), "timer": systemd.timer(made)}
    if unit is not None:
        click.echo(texts[unit], nl=False)
        return
    for name, text in texts.items():
        click.echo(f"# chaoskit.{name}\n{text}")


@command.command(
    "cronjob",
    epilog=help_end(
        [
            "chaoskit schedule cronjob --image IMAGE --node-label engine=docker -- scenarios",
            "chaoskit schedule cronjob --image IMAGE | kubectl apply --dry-run=server -f -",
        ],
        _STATUSES,
    ),
)
@_with_plan
@click.option("--image", required=True, help="Holds chaoskit, pytest and your scenarios.")
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    default="/work",
    show_default=True,
    help="The folder of the scenarios in it.",
)
@click.option(
    "--engine-socket",
    type=click.Path(path_type=Path),
    default="/var/run/docker.sock",
    show_default=True,
    help="Of the container engine on the nodes.",
)
@click.option("--node-label", metavar="KEY=VALUE", help="Of the nodes that have an engine.")
@click.option("--namespace", default="chaoskit", show_default=True, help="Made with it.")
@click.option("--storage", default="5Gi", show_default=True, help="Of the claim that keeps runs.")
def cronjob_command(
    *,
    image: str,
    project: Path,
    engine_socket: Path,
    node_label: str | None,
    namespace: str,
    storage: str,
    **plan: Any,
) -> None:
    """A CronJob with the claim that its runs are kept on, and its namespace.

    Its clusters are containers of its node's own engine, so its pod is on that node's network,
    among its processes, and holds the engine's socket: as much as root on the node.
    """
    kept = Path("/var/lib/chaoskit")
    made = _plan(project=project, publish=kept / "trend", python=Path("python3"), **plan)
    key, equals, value = (node_label or "").partition("=")
    if node_label is not None and not (key and equals):
        raise UsageError("is no KEY=VALUE", subject="--node-label", seen=node_label)
    click.echo(
        cronjob.manifests(
            made,
            image=image,
            engine_socket=engine_socket,
            node_label=(key, value) if node_label else None,
            namespace=namespace,
            storage=storage,
            kept=kept,
        ),
        nl=False,
    )


def _plan_here(*, project: Path, store: Path | None, **plan: Any) -> Plan:
    """For this machine and this Python: whoever keeps the schedule has another folder and PATH."""
    return _plan(
        project=project.resolve(),
        store=None if store is None else store.resolve(),
        python=Path(sys.executable),
        **plan,
    )


def _plan(
    *,
    at: str,
    day: str | None,
    keep: str,
    since: str,
    selection: Sequence[str],
    project: Path,
    publish: Path,
    python: Path,
    store: Path | None = None,
) -> Plan:
    return checked(
        at=at,
        day=day,
        keep=keep,
        since=since,
        selection=tuple(selection) or ("scenarios",),
        project=project,
        publish=publish if publish.is_absolute() else project / publish,
        python=python,
        store=store,
    )
