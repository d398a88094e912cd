"""A node, reached out of band: through its container runtime, never through its own network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A command that ended on a node."""

    exit_code: int
    stdout: str
    stderr: str


class Agent(Protocol):
    """The resident node agent: injects, measures effects, holds heal timers."""

    def call(self, operation: str, *, timeout_s: float = 10.0, **arguments: Any) -> dict[str, Any]:
        """One operation of the agent's protocol; raises `ClusterError` with its message."""
        ...


class Node(Protocol):
    """A node of a cluster."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Literal["server", "agent"]: ...

    @property
    def address(self) -> str:
        """Its IPv4 address on the cluster's own network."""
        ...

    @property
    def agent(self) -> Agent: ...

    def execute(self, argv: Sequence[str], *, timeout_s: float) -> Completed: ...

    def wait_ready(self, *, timeout_s: float) -> None: ...

    def wait_not_ready(self, *, timeout_s: float) -> None: ...

    def wait_agent(self, *, timeout_s: float) -> None:
        """Wait until its agent answers, started again if the node was."""
        ...

    # What only an engine can do to a node: capability "node_faults".

    @property
    def status(self) -> str:
        """What its engine says of it: "running", "paused", "exited" …"""
        ...

    def pause(self) -> None: ...

    def unpause(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self, *, timeout_s: int) -> None: ...

    def start(self) -> None: ...
