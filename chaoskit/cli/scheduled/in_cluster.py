"""A CronJob that rolls out a workload of the cluster in which it runs, and its account.

Its pod has no engine, no node's network and no right beyond those of `chaoskit rollout` in the
workload's namespace; it runs where the "restricted" pod security standard is enforced.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaoskit.cli.scheduled import account
from chaoskit.cli.scheduled.cron import shell
from chaoskit.cli.scheduled.cronjob import Named, as_yaml, claim, cron_job, environment
from chaoskit.cli.scheduled.plan import Plan

if TYPE_CHECKING:
    from chaoskit.kube.rights import Right
    from chaoskit.rollout.asked import Asked

#: As the runner's image has it; the claim's files are made over to its group.
_USER = 65532


def rollout_asked(selection: Sequence[str]) -> tuple[Asked, list[Right]]:
    """What `chaoskit rollout` is asked for by these arguments, and the rights that it needs there.

    Raises `UsageError`, and what click says of options that there are not.
    """
    # Late: they bring all that a rollout needs, which the other forms need not.
    from chaoskit.cli import rollout
    from chaoskit.rollout import on_existing

    given = rollout.command.make_context("chaoskit rollout", ["--in-cluster", *selection]).params
    asked = rollout.asked_from(given)
    needed = on_existing.rights_needed(asked, twin=given["allow_twin"])
    return asked, [*needed, *on_existing.rights_welcome(asked)]


def manifests(plan: Plan, named: Named, kept: Path) -> str:
    """All of them as YAML: namespace, account, its rights where the workload is, claim, CronJob.

    `kept` is where the claim is mounted: the store, records and the trend. Raises what
    `rollout_asked` raises.
    """
    asked, rights = rollout_asked(plan.selection)
    pod = _pod(named, shell(plan), kept)
    there = {**named.metadata, "namespace": asked.namespace}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": named.namespace}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": dict(named.metadata),
            # Other pods of this name's namespace do not get it by mistake.
            "automountServiceAccountToken": False,
        },
        account.role(rights, dict(there)),
        account.binding(named.name, named.namespace, dict(there)),
        claim(named),
        cron_job(plan, named, pod),
    ]
    return as_yaml(objects)


def _pod(named: Named, steps: str, kept: Path) -> dict[str, Any]:
    container = {
        "name": "chaoskit",
        "image": named.image,
        # As arguments, so that the image's own init passes TERM on to the run; the shell waits for
        # what the run takes back.
        "args": ["/bin/sh", "-c", f"trap : TERM; {steps}"],
        "env": environment(kept),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "kept", "mountPath": str(kept)},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }
    return {
        "restartPolicy": "Never",
        "serviceAccountName": named.name,
        "automountServiceAccountToken": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 120,
        "containers": [container],
        "volumes": [
            {"name": "kept", "persistentVolumeClaim": {"claimName": named.name}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
