"""The name of a Kubernetes object."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class ObjectRef:
    """Kind, namespace (None for kinds that have none) and name; as text "Pod shop/kv-1"."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else self.kind_and_name

    @property
    def kind_and_name(self) -> str:
        """Kind and name alone: "Pod kv-1"."""
        return f"{self.kind} {self.name}"

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        """The name of this object."""
        metadata = item["metadata"]
        return cls(item["kind"], metadata.get("namespace"), metadata["name"])
