"""A Deployment with its ReplicaSets and pods, as of one change after the other."""

from dataclasses import dataclass, field

from chaoskit.guarantees.objects.watched import (
    Object,
    Owned,
    changes,
    is_finished,
    is_leaving,
    owner,
    template_of,
)
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

KINDS = ("Deployment", "ReplicaSet", "Pod")

_REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"


@dataclass
class DeploymentState:
    """What exists after the last change applied.

    `template`: the Deployment's pod template, None while it does not exist. `sets`: ReplicaSets
    by uid, also those of an earlier Deployment of the same name; `is_of` tells them apart.
    """

    deployment: Watched | None = None
    template: Object | None = None
    sets: dict[str, Watched] = field(default_factory=dict)
    _templates: dict[str, Object] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _pods: dict[str, dict[str, Watched]] = field(default_factory=dict)  # by ReplicaSet, by uid
    _set_of: dict[str, str] = field(default_factory=dict)
    _same: set[str] | None = None

    def apply(self, event: Watched) -> None:
        """Take in the next change, in resourceVersion order."""
        if event.kind == "Pod":
            self._apply_pod(event)
            return
        self._same = None
        is_deleted = event.change == "DELETED"
        if event.kind == "Deployment":
            self.deployment = None if is_deleted else event
            self.template = None if is_deleted else template_of(event.object)
            return
        self._templates[event.uid] = template_of(event.object)
        self._owners[event.uid] = _owner_uid(event.object, "Deployment")
        if is_deleted:
            self.sets.pop(event.uid, None)
        else:
            self.sets[event.uid] = event

    def is_of(self, replica_set: str) -> bool:
        """Whether the ReplicaSet of that uid is, or was, controlled by the Deployment."""
        return self.deployment is not None and (
            self._owners.get(replica_set) == self.deployment.uid
        )

    @property
    def new_sets(self) -> set[str]:
        """The uids of its existing ReplicaSets that have its present template."""
        return {uid for uid in self._same_template if uid in self.sets}

    @property
    def old_sets(self) -> list[Watched]:
        """Its existing ReplicaSets that have another template."""
        same = self._same_template
        return [rs for uid, rs in self.sets.items() if self.is_of(uid) and uid not in same]

    def template_of_set(self, replica_set: str) -> Object:
        """The template of a ReplicaSet that was applied."""
        return self._templates[replica_set]

    def name_of_set(self, replica_set: str) -> str:
        """The name of a ReplicaSet, or its uid when it does not exist."""
        return self.sets[replica_set].name if replica_set in self.sets else replica_set

    def set_of(self, pod: str) -> str | None:
        """The uid of the ReplicaSet of this Deployment that controls the pod of that uid."""
        uid = self._set_of.get(pod, "")
        return uid if self.is_of(uid) else None

    def is_new(self, replica_set: str) -> bool:
        """Whether the ReplicaSet of that uid has, or had, the Deployment's present template."""
        return replica_set in self._same_template

    def pods_of(self, *, new: bool) -> list[Watched]:
        """Its pods of its present template, or of other ones, that have not ended for good."""
        return [
            pod
            for uid, pods in self._pods.items()
            if self.is_of(uid) and self.is_new(uid) is new
            for pod in pods.values()
            if not is_finished(pod.object)
        ]

    def counted_old_pods(self) -> list[Watched]:
        """Those of other templates that controllers count: not ended, not being deleted."""
        return [pod for pod in self.pods_of(new=False) if not is_leaving(pod.object)]

    @property
    def _same_template(self) -> set[str]:
        if self._same is None:
            self._same = {
                uid
                for uid, template in self._templates.items()
                if self.is_of(uid) and template == self.template
            }
        return self._same

    def _apply_pod(self, event: Watched) -> None:
        before = self._set_of.pop(event.uid, None)
        if before is not None:
            del self._pods[before][event.uid]
        if event.change != "DELETED":
            uid = _owner_uid(event.object, "ReplicaSet")
            self._set_of[event.uid] = uid
            self._pods.setdefault(uid, {})[event.uid] = event


def deployment_changes(history: History, owned: Owned) -> list[Watched]:
    """The changes of a Deployment, its ReplicaSets and its pods, in resourceVersion order.

    Also those of a pod or ReplicaSet that it has released.
    """
    uids = owned.uids
    return [event for event in changes(history, *KINDS) if event.uid in uids]


def strategy_of(deployment: Object) -> str:
    """The type of its update strategy."""
    return str((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate"))


def revision_of(obj: Object) -> int:
    """The revision number that a Deployment or ReplicaSet is annotated with; 0 without one."""
    text = str((obj["metadata"].get("annotations") or {}).get(_REVISION, ""))
    return int(text) if text.isdigit() else 0


def replicas_of(workload: Object) -> int:
    """How many pods a Deployment or ReplicaSet is to have."""
    return int(workload["spec"].get("replicas", 1))


def sized_for(replica_set: Object) -> int | None:
    """The Deployment's number of pods for which the controller last sized it, as it notes."""
    text = str((replica_set["metadata"].get("annotations") or {}).get(_DESIRED, ""))
    return int(text) if text.isdigit() else None


def is_complete(deployment: Object) -> bool:
    """Whether its status says that all pods are of its template, and available."""
    status = deployment.get("status") or {}
    desired = deployment["spec"].get("replicas", 1)
    counts = [status.get(f"{name}eplicas", 0) for name in ("r", "updatedR", "availableR")]
    return bool(
        status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
        and counts == [desired] * 3
    )


def _owner_uid(obj: Object, kind: str) -> str:
    return str((owner(obj, kind) or {}).get("uid", ""))
