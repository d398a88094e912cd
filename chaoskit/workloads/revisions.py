"""Revisions and undo, as kubectl has them: client logic over ReplicaSets and ControllerRevisions.

Read in kubectl 0.36 (pkg/polymorphichelpers): undo restores the template of an older revision;
numbers only move forward, so the restored template gets the next number and its old one vanishes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.kube.kinds import Object, Objects
from chaoskit.workloads import template
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import StepRefused

REVISION = "deployment.kubernetes.io/revision"

#: Annotations that undo leaves as they are on the Deployment; all others come from the revision.
_KEPT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One line of `kubectl rollout history`: `holder` is the object that keeps the template."""

    number: int
    template: Object
    change_cause: str | None
    holder: str
    annotations: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What undo did: `rolled_back` is False for a "skipped rollback"; `text` is kubectl's."""

    rolled_back: bool
    text: str


def owned_by(uid: str, items: Objects) -> Objects:
    """Those of `items` whose controller has this uid."""
    return [
        item
        for item in items
        for owner in item["metadata"].get("ownerReferences", [])
        if owner["uid"] == uid and owner.get("controller")
    ]


def of_replica_sets(replica_sets: Objects) -> list[Revision]:
    """The revisions that a Deployment's ReplicaSets keep, oldest first."""
    found = []
    for item in replica_sets:
        annotations = item["metadata"].get("annotations") or {}
        if annotations.get(REVISION, "").isdigit():  # the controller has not numbered others yet
            found.append(
                Revision(
                    number=int(annotations[REVISION]),
                    template=template.without_hash(item["spec"]["template"]),
                    change_cause=annotations.get(template.CHANGE_CAUSE),
                    holder=item["metadata"]["name"],
                    annotations=annotations,
                )
            )
    return sorted(found, key=lambda revision: revision.number)


def of_controller_revisions(items: Objects) -> list[Revision]:
    """The revisions that a StatefulSet's or DaemonSet's ControllerRevisions keep, oldest first."""
    found = [
        Revision(
            number=item["revision"],
            template=item["data"]["spec"]["template"],
            change_cause=(item["metadata"].get("annotations") or {}).get(template.CHANGE_CAUSE),
            holder=item["metadata"]["name"],
            annotations=item["metadata"].get("annotations") or {},
        )
        for item in items
    ]
    return sorted(found, key=lambda revision: revision.number)


def chosen(ref: ObjectRef, revisions: Sequence[Revision], to_revision: int | None) -> Revision:
    """The revision that undo goes to: the named one, or None: the second newest.

    Raises `StepRefused` with kubectl's words when there is none.
    """
    if to_revision is not None:
        for revision in revisions:
            if revision.number == to_revision:
                return revision
        raise StepRefused(
            f"unable to find specified revision {to_revision} in history",
            subject=str(ref),
            seen=f"revisions {[revision.number for revision in revisions]}",
            next_step="choose one of these; undo moves the revision it restores to a new number",
        )
    if len(revisions) < 2:
        raise StepRefused(
            _NO_HISTORY.get(ref.kind, "no last revision to roll back to").format(name=ref.name),
            subject=str(ref),
            seen=f"revisions {[revision.number for revision in revisions]}",
            next_step="see revisionHistoryLimit; without an older revision apply its manifest",
        )
    return revisions[-2]


_NO_HISTORY = {"Deployment": 'no rollout history found for deployment "{name}"'}


def undo_detail(to_revision: int | None) -> str:
    """What the step says of an undo."""
    return "to the revision before" if to_revision is None else f"to {to_revision}"


def skipped(to_revision: int | None) -> Undone:
    """The outcome when the template is that of the revision already."""
    text = f"skipped rollback (current template already matches revision {to_revision or 0})"
    return Undone(rolled_back=False, text=text)


def deployment_patch(deployment: Object, target: Revision) -> Objects:
    """The JSON patch that restores a Deployment's template and the revision's annotations."""
    current = deployment["metadata"].get("annotations") or {}
    annotations = {key: current[key] for key in _KEPT if key in current}
    annotations |= {key: value for key, value in target.annotations.items() if key not in _KEPT}
    return [
        {"op": "replace", "path": "/spec/template", "value": target.template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]
