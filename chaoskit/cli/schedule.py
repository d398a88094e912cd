"""`chaoskit schedule`: ready definitions for those who run things at a time, which we do not."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from chaoskit.cli.scheduled import cron, cronjob, in_cluster, systemd
from chaoskit.cli.scheduled.plan import DAYS, Plan, checked
from chaoskit.cli.statuses import help_end
from chaoskit.cli.unused_options import require_none
from chaoskit.cluster import runner_image
from chaoskit.errors import UsageError

F = TypeVar("F")

#: Where the claim of a CronJob is mounted.
_KEPT = Path("/var/lib/chaoskit")
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
            "chaoskit schedule cronjob --in-cluster -- deployment/web --restart -n shop",
        ],
        _STATUSES,
    )
)
def command() -> None:
    """Print a definition that runs a selection of scenarios, keeps the runs, and publishes.

    SELECTION is what pytest is given, after "--"; default: scenarios. Nothing is installed here.
    With cronjob --in-cluster it is what "chaoskit rollout" is given.
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
            "chaoskit schedule cronjob --in-cluster -- deployment/web --restart -n shop",
            "chaoskit schedule cronjob --image IMAGE --node-label engine=docker -- scenarios",
            "chaoskit schedule cronjob --image IMAGE | kubectl apply --dry-run=server -f -",
        ],
        _STATUSES,
    ),
)
@_with_plan
@click.option("--in-cluster", "inside", is_flag=True, help="Roll out what runs in that cluster.")
@click.option(
    "--image",
    help="Holds chaoskit, pytest and your scenarios. With --in-cluster, default: what `chaoskit"
    " image build runner` makes.",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="The folder of the scenarios in it; default: /work.",
)
@click.option(
    "--engine-socket",
    type=click.Path(path_type=Path),
    help="Of the container engine on the nodes; default: /var/run/docker.sock.",
)
@click.option("--node-label", metavar="KEY=VALUE", help="Of the nodes that it may run on.")
@click.option("--namespace", default="chaoskit", show_default=True, help="Made with it.")
@click.option("--name", default="chaoskit", show_default=True, help="Of its objects.")
@click.option("--storage", default="5Gi", show_default=True, help="Of the claim that keeps runs.")
def cronjob_command(
    *,
    inside: bool,
    image: str | None,
    project: Path | None,
    engine_socket: Path | None,
    node_label: str | None,
    namespace: str,
    name: str,
    storage: str,
    **plan: Any,
) -> None:
    """A CronJob with the claim that its runs are kept on, and its namespace.

    With --in-cluster it rolls out a workload of the cluster in which it runs: SELECTION is what
    "chaoskit rollout" is given. Its account is printed with it, and may do what that rollout needs
    in the workload's namespace, and nothing else.

    Without, its clusters are containers of its node's own engine, so its pod is on that node's
    network, among its processes, and holds the engine's socket: as much as root on the node.
    """
    label = _label(node_label)
    if inside:
        require_none("with --in-cluster", project=project, engine_socket=engine_socket)
        image = image or runner_image.reference()
    if image is None:
        raise click.UsageError("--image is needed without --in-cluster")
    named = cronjob.Named(
        name=name, namespace=namespace, image=image, node_label=label, storage=storage
    )
    folder = _KEPT if inside else project or Path("/work")
    reports = _KEPT / "reports" if inside else None
    made = _plan(
        project=folder,
        publish=_KEPT / "trend",
        python=Path("python3"),
        in_cluster=reports,
        **plan,
    )
    if inside:
        text = in_cluster.manifests(made, named, _KEPT)
    else:
        socket = engine_socket or Path("/var/run/docker.sock")
        text = cronjob.manifests(made, named, _KEPT, engine_socket=socket)
    click.echo(text, nl=False)


def _label(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    key, equals, value = given.partition("=")
    if not (key and equals):
        raise UsageError("is no KEY=VALUE", subject="--node-label", seen=given)
    return key, value


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
    in_cluster: Path | None = None,
) -> Plan:
    return checked(
        at=at,
        day=day,
        keep=keep,
        since=since,
        selection=tuple(selection) or (() if in_cluster else ("scenarios",)),
        project=project,
        publish=publish if publish.is_absolute() else project / publish,
        python=python,
        store=store,
        in_cluster=in_cluster,
    )
