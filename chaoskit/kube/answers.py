"""What the API server answers, where it is more than one object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from chaoskit.kube.kinds import Objects


@dataclass(frozen=True)
class Page:
    """One page of a list: `resource_version` is the collection's, `rest` continues it."""

    items: Objects
    resource_version: int
    rest: str | None


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a pod, or the API server in its place, answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> Self:
        """As the connection has it."""
        lower = {key.lower(): value for key, value in headers.items()}
        return cls(status=status, headers=lower, body=body.decode(errors="replace"))
