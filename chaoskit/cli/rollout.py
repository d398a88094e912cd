"""`chaoskit rollout WORKLOAD`: roll out one's own workload under load, and judge it."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from chaoskit.cli import standard_input
from chaoskit.cli.cluster import Steps
from chaoskit.cli.inject import seconds_of
from chaoskit.cli.places import kubeconfig_file
from chaoskit.cli.statuses import EXIT_HELD, EXIT_UNKNOWN, help_end, of_outcome
from chaoskit.cluster.existing import ExistingCluster, ExistingProvider, own_account
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import UsageError
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.kube import in_cluster
from chaoskit.options import checked
from chaoskit.rollout import on_existing
from chaoskit.rollout import prepared as preparing
from chaoskit.rollout.asked import Asked, Claims, LoadAsked, change_of, workload_ref
from chaoskit.rollout.course import Concluded
from chaoskit.rollout.on_throw_away import ThrowAway
from chaoskit.rollout.prepared import Prepared
from chaoskit.rollout.trial import Place, roll_out
from chaoskit.run.book import SessionBook
from chaoskit.store.adding import keep


@click.command(
    epilog=help_end(
        [
            "chaoskit rollout deployment/web --image web=web:v2 -n shop -f shop/",
            "helm template shop | chaoskit rollout sts/db --restart -n shop -f -",
            "chaoskit rollout deployment/web --to new.yaml -n shop --context staging --dry-run",
        ],
        "0 all HELD. 1 one VIOLATED. 2 called wrongly, or a manifest is no good. 3 cannot tell."
        " 4 it could not be tried: engine, image, cluster, a workload that never gets ready.",
    ),
)
@click.argument("workload")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--image", "images", multiple=True, help="Change: CONTAINER=IMAGE; may be repeated.")
@click.option("--to", multiple=True, metavar="PATH", help="Change: apply these manifests.")
@click.option("--restart", is_flag=True, help="Change: all pods anew, the template as it is.")
@click.option(
    "--manifest",
    "-f",
    "manifests",
    multiple=True,
    metavar="PATH",
    help="What runs before: a file, a folder, or - for standard input; may be repeated.",
)
@click.option(
    "--image-archive",
    "archives",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Images from a tar (docker save) and not from the engine; may be repeated.",
)
@click.option("--service", help="The Service that requests go to; default: the one there is.")
@click.option("--port", help="Its port, by name or number; default: http, else the first.")
@click.option("--path", default="/", show_default=True, help="What requests ask for.")
@click.option("--rate", default=100.0, show_default=True, help="Requests a second, in total.")
@click.option(
    "--locustfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own users in place of plain requests.",
)
@click.option("--users", default=10, show_default=True, help="How many, of a locustfile.")
@click.option("--baseline", default="10s", show_default=True, help="Load before the change.")
@click.option("--within", help="By when it is complete; default: progressDeadlineSeconds.")
@click.option("--at-least", type=float, help="Claim a share of requests answered: 0.999.")
@click.option("--zero-failures", is_flag=True, help="Claim that no request fails at all.")
@click.option("--versions", help="Claim that only these answer (X-Chaoskit-Revision): v1,v2.")
@click.option("--undo", is_flag=True, help="Undo the change where a promise was broken.")
@click.option("--dry-run", is_flag=True, help="Say what is promised; start nothing.")
@click.option("--context", help="Roll out what runs in this context of the kubeconfig.")
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Where that context stands; default: as kubectl finds it.",
)
@click.option(
    "--in-cluster",
    is_flag=True,
    help="Roll out what runs in the cluster of this pod, as its account.",
)
@click.option("--allow-twin", is_flag=True, help="There: a NodePort Service beside a ClusterIP's.")
@click.option("--nodes", default="1+2", show_default=True, help="Servers and agents.")
@click.option("--node-image", default="auto", show_default=True)
@click.option("--keep-cluster", is_flag=True, help="Leave the cluster for a closer look.")
@click.option("--report-dir", default="reports", show_default=True)
@click.option(
    "--store",
    default="",
    metavar="FILE",
    help="Keep the run there, or in none; default: $CHAOSKIT_STORE, else in the state folder.",
)
@click.option("--seed", default="", help="Of every random choice; default: a new one.")
def command(**given: Any) -> int:
    """Roll out WORKLOAD (deployment/web, statefulset/kv, daemonset/agent) while requests run.

    Says before what its manifests promise, measures a steady baseline, makes the change, and judges
    every promise over a record of all requests and changes. On a cluster of its own, which is
    thrown away; or, with --context, in one namespace of a cluster that is there; or, in a pod, with
    --in-cluster, in one namespace of the pod's own cluster.
    """
    dry_run: bool = given["dry_run"]
    is_inside: bool = given["in_cluster"]
    asked = asked_from(given)
    if given["context"] is None and not is_inside:
        return _tried(preparing.from_manifests(asked, standard_input.read), None, dry_run=dry_run)
    provider = ExistingProvider(*_place(given), asked.namespace)
    with closing(provider.start(ClusterSpec())) as cluster:
        prepared = on_existing.from_cluster(
            asked, cluster, standard_input.read, twin=given["allow_twin"], is_inside=is_inside
        )
        return _tried(prepared, cluster, dry_run=dry_run)


def _place(given: Mapping[str, Any]) -> tuple[Path, str]:
    """Kubeconfig and context of the cluster that is there. Raises `UsageError`."""
    if not given["in_cluster"]:
        return kubeconfig_file(given["kubeconfig"]), given["context"]
    return own_account(), in_cluster.CONTEXT


def asked_from(given: Mapping[str, Any]) -> Asked:
    """What was asked for, from the command's parameters. Raises `UsageError`."""
    elsewhere = [f"--{name}" for name in ("context", "kubeconfig") if given[name] is not None]
    if given["in_cluster"] and elsewhere:
        raise UsageError(
            "the cluster of this pod, or another one",
            subject="--in-cluster",
            seen=f"{', '.join(elsewhere)} besides",
            next_step="leave one of them out",
        )
    return Asked(
        ref=workload_ref(given["workload"], given["namespace"]),
        change=change_of(given["images"], given["to"], restart=given["restart"]),
        load=LoadAsked(
            path=given["path"],
            rate_per_s=given["rate"],
            locustfile=given["locustfile"],
            users=given["users"],
            service=given["service"],
            port=given["port"],
        ),
        claims=Claims(
            at_least=given["at_least"],
            zero_failures=given["zero_failures"],
            versions=tuple(given["versions"].split(",")) if given["versions"] else (),
            within_s=seconds_of(given["within"], "--within") if given["within"] else None,
        ),
        options=checked(
            image=given["node_image"],
            nodes=given["nodes"],
            profile="fast",
            keep_cluster=given["keep_cluster"],
            report_dir=given["report_dir"],
            store=given["store"],
            seed=given["seed"],
            strict=False,
        ),
        command=shlex.join(["chaoskit", *sys.argv[1:]]),
        manifests=given["manifests"],
        archives=given["archives"],
        baseline_s=seconds_of(given["baseline"], "--baseline"),
        undo=given["undo"],
    )


def _tried(prepared: Prepared, cluster: ExistingCluster | None, *, dry_run: bool) -> int:
    """Say what is promised, and unless that was all, try it."""
    asked = prepared.asked
    for note in prepared.notes:
        click.echo(f"note: {note}")
    click.echo(f"{asked.ref}: {asked.change}")
    click.echo(prepared.description)
    if dry_run:
        if cluster is None:
            click.echo(f"\nImages: {', '.join(prepared.images)}")
        click.echo("\nNothing was started or touched.")
        return 0
    book = SessionBook(asked.options, asked.command)
    try:
        with Steps() as steps:
            place: Place = (
                ThrowAway(prepared, book, steps)
                if cluster is None
                else on_existing.Existing(prepared, cluster, book, steps)
            )
            concluded = roll_out(prepared, place, book, steps)
    finally:
        for path in book.write_reports():
            click.echo(f"report: {path}")
        kept = keep(book)
        if kept is not None:
            click.echo(kept.said, err=not kept.is_kept)
        for trouble in book.troubles:
            click.echo(trouble, err=True)
    click.echo("\n".join(told(concluded)))
    status = of_outcome(concluded.judgement.outcome)
    return EXIT_UNKNOWN if book.troubles and status == EXIT_HELD else status


def told(concluded: Concluded) -> list[str]:
    """The verdicts for a person, worst evidence first."""
    lines = []
    for verdict in concluded.judgement.verdicts:
        lines.append(f"{verdict.outcome:<8} {verdict.title}: {verdict.summary}")
        lines += [f"         {line}" for line in _witnesses(verdict)]
    promised = {verdict.title for verdict in concluded.judgement.verdicts}
    for verdict in concluded.measured:
        if verdict.title not in promised:
            lines.append(f"measured {verdict.title}: {verdict.summary}")
    if concluded.undone:
        lines.append("The change was undone.")
    lines.append(str(concluded.judgement.outcome))
    return lines


def _witnesses(verdict: Verdict) -> list[str]:
    if verdict.outcome is Outcome.HELD:
        return []
    evidence = verdict.evidence
    named = (("first", evidence.first), ("worst", evidence.worst), ("last", evidence.last))
    return [f"{name}: {witness.text}" for name, witness in named if witness is not None]
