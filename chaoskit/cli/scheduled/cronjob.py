"""A Kubernetes CronJob, the claim on which its runs are kept, and their namespace."""

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
    plan: Plan, *, image: str, engine: str, namespace: str, storage: str, kept: Path
) -> str:
    """All three as YAML. `kept` is where the claim is mounted: the store, records and the trend."""
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
                "jobTemplate": {"spec": _job(plan, image, engine, kept)},
            },
        },
    ]
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000)


def _job(plan: Plan, image: str, engine: str, kept: Path) -> dict[str, Any]:
    """One attempt: a run that failed has said something, and is not tried until it does not."""
    container = {
        "name": _NAME,
        "image": image,
        "workingDir": str(plan.project),
        "command": ["/bin/sh", "-c", shell(plan)],
        "env": [
            {"name": "CHAOSKIT_STATE", "value": str(kept)},
            {"name": "CHAOSKIT_STORE", "value": str(kept / FILE_NAME)},
            {"name": "DOCKER_HOST", "value": engine},
            {
                "name": "PYTEST_ADDOPTS",
                "value": f"--chaos-report-dir={kept / 'reports'} -p no:cacheprovider",
            },
        ],
        "volumeMounts": [{"name": "kept", "mountPath": str(kept)}],
    }
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": _LONGEST_RUN_S,
        "template": {
            "metadata": {"labels": dict(_LABELS)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "containers": [container],
                "volumes": [{"name": "kept", "persistentVolumeClaim": {"claimName": _NAME}}],
            },
        },
    }


def _metadata(namespace: str) -> dict[str, Any]:
    return {"name": _NAME, "namespace": namespace, "labels": dict(_LABELS)}
