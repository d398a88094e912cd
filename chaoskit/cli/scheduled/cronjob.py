"""A Kubernetes CronJob, the claim on which its runs are kept, and their namespace.

Its pod is on its node's network and among its processes: clusters are containers of that node's
engine, their API server answers on 127.0.0.1 there, and their processes are looked at from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chaoskit.cli.scheduled.cron import shell
from chaoskit.cli.scheduled.plan import Plan
from chaoskit.errors import UsageError
from chaoskit.store.store import FILE_NAME

_LONGEST_RUN_S = 12 * 3600
#: A DNS label (RFC 1123). A CronJob's name is at most 11 characters shorter: its Jobs' get more.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_LABEL = 63
_LONGEST_NAME = _LONGEST_LABEL - 11
#: A Kubernetes quantity above zero.
_QUANTITY = re.compile(r"(?=.*[1-9])\d+(\.\d+)?([KMGTPE]i|[kMGTPE])?")
_LABELS = {"app.kubernetes.io/name": "chaoskit"}


@dataclass(frozen=True, kw_only=True)
class Named:
    """What its objects are called, where they stand, the image that runs, and what it asks for.

    `node_label` chooses the nodes that it runs on; `storage` is the size of the claim. Raises
    `UsageError` for what no API server takes.
    """

    name: str
    namespace: str
    image: str
    node_label: tuple[str, str] | None = None
    storage: str

    def __post_init__(self) -> None:
        for option, given, longest in (
            ("--name", self.name, _LONGEST_NAME),
            ("--namespace", self.namespace, _LONGEST_LABEL),
        ):
            if not (_LABEL.fullmatch(given) and len(given) <= longest):
                raise UsageError(
                    f"is no name of at most {longest} small letters, digits and dashes between",
                    subject=option,
                    seen=repr(given),
                )
        if not _QUANTITY.fullmatch(self.storage):
            raise UsageError(
                "is no size", subject="--storage", seen=repr(self.storage), next_step="such as 5Gi"
            )

    @property
    def metadata(self) -> dict[str, Any]:
        """Of each object."""
        return {"name": self.name, "namespace": self.namespace, "labels": dict(_LABELS)}


def manifests(plan: Plan, named: Named, kept: Path, *, engine_socket: Path) -> str:
    """All three as YAML. `kept` is where the claim is mounted: the store, records and the trend.

    `engine_socket` is that of the node's engine.
    """
    pod = _pod(plan, named, engine_socket, kept)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": named.namespace}}
    return as_yaml([namespace, claim(named), cron_job(plan, named, pod)])


def as_yaml(objects: Sequence[dict[str, Any]]) -> str:
    """One document for each; no anchors, and no line is folded."""
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000)


def claim(named: Named) -> dict[str, Any]:
    """What runs are kept on."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": dict(named.metadata),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": named.storage}},
        },
    }


def cron_job(plan: Plan, named: Named, pod: dict[str, Any]) -> dict[str, Any]:
    """One attempt: a run that failed has said something, and is not tried until it does not."""
    if named.node_label is not None:
        pod = {**pod, "nodeSelector": dict([named.node_label])}
    job = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": _LONGEST_RUN_S,
        "template": {"metadata": {"labels": dict(_LABELS)}, "spec": pod},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": dict(named.metadata),
        "spec": {
            "schedule": plan.cron_time,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "jobTemplate": {"spec": job},
        },
    }


def environment(kept: Path) -> list[dict[str, str]]:
    """Where a run in the pod keeps what it knows."""
    return [
        {"name": "CHAOSKIT_STATE", "value": str(kept)},
        {"name": "CHAOSKIT_STORE", "value": str(kept / FILE_NAME)},
    ]


def _pod(plan: Plan, named: Named, engine_socket: Path, kept: Path) -> dict[str, Any]:
    container = {
        "name": "chaoskit",
        "image": named.image,
        "workingDir": str(plan.project),
        "command": ["/bin/sh", "-c", shell(plan)],
        "env": [
            *environment(kept),
            {"name": "DOCKER_HOST", "value": f"unix://{engine_socket}"},
            {
                "name": "PYTEST_ADDOPTS",
                "value": f"--chaos-report-dir={kept / 'reports'} -p no:cacheprovider",
            },
        ],
        "volumeMounts": [
            {"name": "kept", "mountPath": str(kept)},
            {"name": "engine", "mountPath": str(engine_socket)},
        ],
    }
    return {
        "restartPolicy": "Never",
        "hostNetwork": True,
        "hostPID": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [
            {"name": "kept", "persistentVolumeClaim": {"claimName": named.name}},
            {"name": "engine", "hostPath": {"path": str(engine_socket), "type": "Socket"}},
        ],
    }
