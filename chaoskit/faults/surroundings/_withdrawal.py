"""An object taken out of its namespace and kept there under a name of ours, never in our files."""

import json
from dataclasses import dataclass

from chaoskit.faults._objects import (
    DOMAIN,
    OURS,
    despite_others,
    digest,
    listed,
    mend,
    namespace_ends,
    refuse,
)
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object

_KEPT = f"{DOMAIN}/kept"
#: Parts of the metadata that come back; the server makes the others.
_METADATA = ("labels", "annotations", "ownerReferences")
_CONTENT = ("data", "binaryData")


@dataclass(frozen=True)
class Withdrawal:
    """The withdrawal of one ConfigMap or Secret by the fault of that name."""

    fault: str
    kind: str
    namespace: str
    name: str

    @property
    def copy_name(self) -> str:
        """The name it is kept under; any process finds it from the fault's fields."""
        return f"chaoskit-{self.fault.replace('_', '-')}-{digest(self.name)}"

    def carry_out(self, kube: Kube) -> None:
        """Keep a copy, then delete it. Raises `FaultError` if it could not go, and every refusal.

        The copy bears none of its labels, so that nobody who selects by them finds it twice. What
        goes is what was copied: changed in between, it is copied anew.
        """
        despite_others(lambda: self._try(kube), f"{self.kind} {self.namespace}/{self.name}")

    def _try(self, kube: Kube) -> None:
        if listed(kube, self.kind, self.name, self.namespace) is None and self._copy(kube):
            return  # withdrawn already, and by us
        item = kube.get(self.kind, self.name, self.namespace)
        if item["metadata"].get("finalizers") or "deletionTimestamp" in item["metadata"]:
            raise refuse(
                f"{self.kind} {self.namespace}/{self.name}",
                "has finalizers or is being deleted, so it would not go or not stay",
                seen=item["metadata"].get("finalizers"),
                next_step="name one without finalizers",
            )
        if self._copy(kube):  # older than what is there now
            kube.delete(self.kind, self.copy_name, self.namespace)
        kube.create(self._copy_of(item))
        uid, version = item["metadata"]["uid"], item["metadata"]["resourceVersion"]
        kube.delete(self.kind, self.name, self.namespace, uid=uid, resource_version=version)

    def is_effective(self, kube: Kube) -> bool:
        """Whether a list of the namespace has our copy and not the object."""
        names = {item["metadata"]["name"] for item in kube.list(self.kind, self.namespace)}
        return self.copy_name in names and self.name not in names

    def put_back(self, kube: Kube) -> None:
        """Make it again from the copy, unless somebody else did; then drop the copy.

        Raises `WaitTimeout` with what is missing.
        """
        mend(
            lambda: self._step(kube),
            what=f"{self.kind} {self.namespace}/{self.name} to be back",
            next_step=f"it is kept in {self.kind} {self.copy_name} of that namespace",
        )

    def _step(self, kube: Kube) -> str:
        copy = self._copy(kube)
        if copy is None or namespace_ends(kube, self.namespace):
            return ""
        if listed(kube, self.kind, self.name, self.namespace) is None:
            kube.create(self._original_of(copy))
            return "it was not there"
        kube.delete(self.kind, self.copy_name, self.namespace)
        return ""

    def _copy(self, kube: Kube) -> Object | None:
        return kube.find(self.kind, self.copy_name, self.namespace)

    def _copy_of(self, item: Object) -> Object:
        metadata = {key: item["metadata"][key] for key in _METADATA if key in item["metadata"]}
        rest = {key: item[key] for key in ("type", "immutable") if key in item}
        copy = self._object(self.copy_name, item)
        copy["metadata"]["labels"] = {**OURS, f"{DOMAIN}/fault": self.fault}
        copy["metadata"]["annotations"] = {_KEPT: json.dumps({"metadata": metadata, **rest})}
        copy["immutable"] = True
        if self.kind == "Secret":
            copy["type"] = _KEPT  # controllers act on some types, and their rules bind the content
        return copy

    def _original_of(self, copy: Object) -> Object:
        kept = json.loads(copy["metadata"]["annotations"][_KEPT])
        original = self._object(self.name, copy)
        original["metadata"].update(kept.pop("metadata"))
        return {**original, **kept}

    def _object(self, name: str, item: Object) -> Object:
        content = {key: item[key] for key in _CONTENT if key in item}
        metadata: Object = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": self.kind, "metadata": metadata, **content}
