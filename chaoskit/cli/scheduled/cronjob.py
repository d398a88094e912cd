"""A Kubernetes CronJob, the claim on which its runs are kept, and their namespace.

Its pod is on its node's network and among its processes: clusters are containers of that node's
engine, their API server answers on 127.0.0.1 there, and their processes are looked at from there.
"""

from pathlib import Path
from typing import Any

import yaml

from chaoskit.cli.scheduled.cron import shell
from chaoskit.cli.scheduled.plan import Plan
from chaoskit.store.store import FILE_NAME

_NAME = "chaoskit"
_LONGEST_RUN_S = 12 * 3600
_LABELS = {"app.kubernetes.io/name": _NAME}


def manifests(
    plan: Plan,
    *,
    image: str,
    engine_socket: Path,
    node_label: tuple[str, str] | None,
    namespace: str,
    storage: str,
    kept: Path,
) -> str:
    """All three as YAML. `kept` is where the claim is mounted: the store, records and the trend.

    `engine_socket` is that of the node's engine; `node_label` chooses nodes that have one.
    """
    job = _job(plan, image, engine_socket, kept)
    if node_label is not None:
        job["template"]["spec"]["nodeSelector"] = dict([node_label])
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(namespace),
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": storage}},
            },
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": _metadata(namespace),
            "spec": {
                "schedule": plan.cron_time,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "jobTemplate": {"spec": job},
            },
        },
    ]
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000)


def _job(plan: Plan, image: str, engine_socket: Path, kept: Path) -> dict[str, Any]:
    """One attempt: a run that failed has said something, and is not tried until it does not."""
    container = {
        "name": _NAME,
        "image": image,
        "workingDir": str(plan.project),
        "command": ["/bin/sh", "-c", shell(plan)],
        "env": [
            {"name": "CHAOSKIT_STATE", "value": str(kept)},
            {"name": "CHAOSKIT_STORE", "value": str(kept / FILE_NAME)},
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
        "backoffLimit": 0,
        "activeDeadlineSeconds": _LONGEST_RUN_S,
        "template": {
            "metadata": {"labels": dict(_LABELS)},
            "spec": {
                "restartPolicy": "Never",
                "hostNetwork": True,
                "hostPID": True,
                "dnsPolicy": "ClusterFirstWithHostNet",
                "automountServiceAccountToken": False,
                "containers": [container],
                "volumes": [
                    {"name": "kept", "persistentVolumeClaim": {"claimName": _NAME}},
                    {
                        "name": "engine",
                        "hostPath": {"path": str(engine_socket), "type": "Socket"},
                    },
                ],
            },
        },
    }


def _metadata(namespace: str) -> dict[str, Any]:
    return {"name": _NAME, "namespace": namespace, "labels": dict(_LABELS)}
