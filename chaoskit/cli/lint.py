"""`chaoskit lint MANIFEST`: what manifests cannot promise, and which scenario would show it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import click

from chaoskit.cli import standard_input
from chaoskit.cli.statuses import EXIT_HELD, EXIT_VIOLATED, help_end
from chaoskit.rollout import sources
from chaoskit.rollout.lint import Finding, lint


@click.command(
    epilog=help_end(
        ["chaoskit lint shop/", "helm template shop | chaoskit lint - --except single-replica"],
        "0 nothing found. 1 something. 2 called wrongly, or no manifest.",
    ),
)
@click.argument("manifests", metavar="MANIFEST…", nargs=-1, required=True)
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="Where none is named."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--except", "excepted", multiple=True, metavar="RULE", help="Leave this rule out.")
def command(
    manifests: Sequence[str], namespace: str, as_json: bool, excepted: Sequence[str]
) -> int:
    """Say what the manifests cannot promise, and which scenario of the catalogue would show it.

    MANIFEST is a file, a folder, or - for standard input (kubectl kustomize, helm template). No
    cluster is asked.
    """
    read = sources.read(manifests, namespace, standard_input.read, strict=False)
    found = [
        one for one in lint([each.content for each in read.manifests]) if one.rule not in excepted
    ]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        for each in read.left_out:
            click.echo(f"left out: {each}")
        click.echo(as_text(found))
    return EXIT_VIOLATED if found else EXIT_HELD


def as_text(found: Sequence[Finding]) -> str:
    """Findings for a person, object by object."""
    if not found:
        return "nothing found: what these manifests can say, they say"
    lines: list[str] = []
    for subject, count in Counter(one.subject for one in found).items():
        lines.append(f"{subject}: {count}")
        for one in found:
            if one.subject == subject:
                lines.append(f"  {one.rule} ({one.field}): {one.lacks}")
                lines.append(f"      do: {one.remedy}; shown by {', '.join(one.rows)}")
    return "\n".join(lines)
