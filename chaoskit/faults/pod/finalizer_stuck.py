"""A finalizer that nobody takes away holds an object."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults._objects import DOMAIN, listed, mend
from chaoskit.faults.fault import Reach
from chaoskit.kube import kinds
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound

_FINALIZER = f"{DOMAIN}/stuck"


@dataclass(frozen=True)
class FinalizerStuck:
    """Put a finalizer of ours on a pod, or on any other namespaced object.

    Breaks: whoever deletes it: it stays Terminating. Deleting is a step of the scenario's.
    Kubernetes answers: a pod's containers end, its object stays; a StatefulSet waits for it, a
    ReplicaSet does not; a namespace with it in it does not end.
    Heal: takes away our finalizer and no other; then an object that was deleted goes.
    Requires: nothing but the API.
    """

    namespace: str
    object_name: str
    kind: str = "Pod"

    name: ClassVar[str] = "finalizer_stuck"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `UsageError` for a kind that is not known, or has no namespace."""
        if not kinds.known(self.kind).namespaced:
            raise UsageError(
                "objects of this kind are in no namespace",
                subject=f"fault {self.name}",
                seen=self.kind,
                next_step="name a kind whose objects are: Pod, PersistentVolumeClaim …",
            )

    @property
    def target(self) -> str:
        """The object."""
        return f"{self.kind} {self.namespace}/{self.object_name}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Add it to the others. Raises `NotFound`, and every other refusal."""
        self._patch(cluster.kube, {"finalizers": [_FINALIZER]})

    def is_effective(self, cluster: Cluster) -> bool:
        """A list of such objects has it with our finalizer."""
        return _is_held(listed(cluster.kube, self.kind, self.object_name, self.namespace))

    def heal(self, cluster: Cluster) -> None:
        """Take ours away, and see it gone. Raises `WaitTimeout`."""
        kube = cluster.kube

        def step() -> str:
            if not _is_held(listed(kube, self.kind, self.object_name, self.namespace)):
                return ""
            try:
                self._patch(kube, {"$deleteFromPrimitiveList/finalizers": [_FINALIZER]})
            except NotFound:
                return ""
            return "our finalizer was still listed"

        mend(step, what=f"{self.target} to be without our finalizer")

    def _patch(self, kube: Kube, metadata: Object) -> None:
        # A strategic merge adds to the list and takes from it whatever else is changed meanwhile.
        change = {"metadata": metadata}
        kube.patch(self.kind, self.object_name, self.namespace, change, style="strategic")


def _is_held(item: Object | None) -> bool:
    return item is not None and _FINALIZER in item["metadata"].get("finalizers", ())
