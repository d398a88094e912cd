"""`chaoskit cluster`: clusters that stay until they are taken down."""

import json
from collections.abc import Sequence
from contextlib import closing
from types import TracebackType
from typing import Literal, Self

import click
from rich.console import Console
from rich.status import Status

from chaoskit import clock
from chaoskit.cli.statuses import help_end
from chaoskit.cluster import terminal
from chaoskit.cluster.k3s_provider import START_TIMEOUT_S, K3sProvider
from chaoskit.cluster.launch import labels, leftovers
from chaoskit.cluster.launch.interrupts import interrupts_held, sigterm_raises
from chaoskit.cluster.launch.leftovers import Found
from chaoskit.cluster.profiles import PROFILES
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import ChaoskitError, ClusterError


class Steps:
    """Shows steps with the seconds they began at: a spinner on a terminal, else lines on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._begun_ns = clock.now_ns()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, step: str) -> None:
        spent_s = (clock.now_ns() - self._begun_ns) / 1e9
        self._console.print(f"{spent_s:6.1f} s  {step}", markup=False)
        if self._status is not None:
            self._status.update(step)


@click.group(
    epilog=help_end(
        [
            "chaoskit cluster up --agents 3",
            "export KUBECONFIG=$(chaoskit cluster kubeconfig)",
            "chaoskit cluster shell agent-0",
            "chaoskit cluster down",
        ],
        "0 done. 2 called wrongly. 4 no engine, no such cluster, or it did not start."
        " shell: that of the shell.",
    )
)
def command() -> None:
    """Start, list and remove throw-away clusters."""


@command.command()
@click.option("--name", help="Its name; default: chaoskit.")
@click.option("--servers", default=1, show_default=True, help="Nodes with a control plane.")
@click.option("--agents", default=2, show_default=True, help="Nodes without one.")
@click.option("--image", default="auto", show_default=True, help="Node image, or auto.")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="fast", show_default=True)
@click.option("--load", "images", multiple=True, help="Workload image to load; may be repeated.")
@click.option("--timeout-s", default=START_TIMEOUT_S, show_default=True, help="For each step.")
def up(
    *,
    name: str | None,
    servers: int,
    agents: int,
    image: str,
    profile: Literal["fast", "default"],
    images: Sequence[str],
    timeout_s: float,
) -> None:
    """Start a cluster that stays, or say that it is there."""
    spec = ClusterSpec(
        name=name,
        servers=servers,
        agents=agents,
        image=image,
        profile=profile,
        images=tuple(images),
        keep=True,
    )
    with (
        Steps() as steps,
        sigterm_raises(),
        closing(K3sProvider(progress=steps, timeout_s=timeout_s)) as provider,
    ):
        try:
            cluster = provider.start(spec)
        except ChaoskitError as error:
            for note in getattr(error, "__notes__", ()):
                steps(note)
            raise
        cluster.close()
    facts = cluster.facts
    click.echo(f"cluster {cluster.name}: {facts['kubernetes']} on {facts['image']}")
    click.echo(f"  export KUBECONFIG={cluster.kubeconfig}")
    click.echo(f"  chaoskit cluster down {cluster.name}")


@command.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every kept cluster on this engine.")
def down(name: str | None, everything: bool) -> None:
    """Remove a cluster and all that belongs to it.

    Without a name, the only kept one: a cluster that a run is using has to be named.
    """
    with closing(K3sProvider()) as provider:
        found = leftovers.found(provider.client)
        kept = tuple(one for one in found if one.keep)
        chosen = kept if everything else (_chosen(found if name else kept, name),)
        for one in chosen:
            with interrupts_held():
                count = leftovers.remove(provider.client, one.cluster)
            click.echo(f"{one.cluster}: removed, {count} objects")
    if not chosen:
        click.echo("there is no cluster")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def ls(as_json: bool) -> None:
    """List the clusters on this engine."""
    with closing(K3sProvider()) as provider:
        rows = [_row(one) for one in leftovers.found(provider.client)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo("there is no cluster; chaoskit cluster up starts one")
        return
    head = list(rows[0])
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in head}
    for row in ({key: key.upper() for key in head}, *rows):
        click.echo("  ".join(row[key].ljust(widths[key]) for key in head).rstrip())


@command.command()
@click.argument("name", required=False)
@click.option("--content", is_flag=True, help="The file's content instead of its path.")
def kubeconfig(name: str | None, content: bool) -> None:
    """Say where the cluster's kubeconfig is."""
    with closing(K3sProvider()) as provider:
        cluster = provider.find(_chosen(leftovers.found(provider.client), name).cluster)
        cluster.close()
    path = cluster.kubeconfig
    click.echo(path.read_text() if content else path)


@command.command()
@click.argument("node")
def shell(node: str) -> int:
    """Open a shell in a node: its name, or its end (server-0) where that is enough."""
    with closing(K3sProvider()) as provider:
        names = [thing.name for one in leftovers.found(provider.client) for thing in one.nodes]
        matches = [name for name in names if name == node] or [
            name for name in names if name.endswith(f"-{node}")
        ]
        if len(matches) != 1:
            raise ClusterError(
                "no such node" if not matches else "more than one node is called so",
                subject=node,
                seen=f"nodes: {', '.join(matches or names) or 'none'}",
                next_step="chaoskit cluster ls",
            )
        return terminal.open_shell(provider.client, matches[0])


@command.command()
def sweep() -> None:
    """Remove what killed runs left behind; kept and running clusters stay."""
    with closing(K3sProvider()) as provider:
        said = leftovers.sweep(provider.client)
    click.echo("\n".join(said) if said else "nothing was left behind")


def _chosen(found: Sequence[Found], name: str | None) -> Found:
    """The cluster of that name, or the only one."""
    matches = [one for one in found if name in (None, one.cluster)]
    if len(matches) != 1:
        raise ClusterError(
            "no such cluster" if not matches else "there is more than one cluster",
            subject=name or "cluster",
            seen=f"there are: {', '.join(one.cluster for one in found) or 'none'}",
            next_step="chaoskit cluster ls",
        )
    return matches[0]


def _row(one: Found) -> dict[str, str]:
    facts = one.facts or {}
    owner = one.owner
    running = sum(node.status == "running" for node in one.nodes)
    return {
        "name": one.cluster,
        "nodes": f"{running}/{len(one.nodes)} running",
        "kubernetes": facts.get("kubernetes", "-"),
        "image": facts.get("image", "-"),
        "profile": facts.get("profile", "-"),
        "kept": "yes" if one.keep else "no",
        "owner": "-" if owner is None else f"{owner.pid} {labels.life_of(owner)}",
    }
