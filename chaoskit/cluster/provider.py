"""The seam to whatever runs a cluster: a provider starts one, a cluster hands out its nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from chaoskit.cluster.node import Node
from chaoskit.cluster.registry import Registry
from chaoskit.kube.client import Kube


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """What is wanted of a cluster.

    `image` is a reference or "auto" (present, else pulled, else built); `images` are workload
    images loaded into every node before it joins.
    """

    servers: int = 1
    agents: int = 2
    image: str = "auto"
    profile: Literal["fast", "default"] = "fast"
    images: Sequence[str] = ()
    name: str | None = None
    keep: bool = False


class Cluster(Protocol):
    """A running cluster."""

    @property
    def name(self) -> str: ...

    @property
    def kubeconfig(self) -> Path:
        """A file with mode 0600 that reaches the API server at 127.0.0.1."""
        ...

    @property
    def kube(self) -> Kube:
        """Its API, as its administrator."""
        ...

    @property
    def nodes(self) -> Sequence[Node]: ...

    @property
    def servers(self) -> Sequence[Node]:
        """Those with a control plane."""
        ...

    @property
    def engine_id(self) -> str:
        """What runs it, by the name that it has for itself: for whoever heals later."""
        ...

    @property
    def is_confined(self) -> bool:
        """Whether nothing beyond the run's own namespace may even be looked at."""
        ...

    @property
    def watchable(self) -> Sequence[str]:
        """The kinds of objects whose changes may be watched here."""
        ...

    @property
    def capabilities(self) -> frozenset[str]: ...

    @property
    def facts(self) -> dict[str, str]:
        """What a report must say: image, image id, kubernetes version, provider, profile …"""
        ...

    @property
    def registry(self) -> Registry | None:
        """The private registry beside its nodes; None before somebody started one."""
        ...

    def node(self, name: str) -> Node: ...

    def load_image(self, reference: str) -> None:
        """Make an image of the engine known to every node's container runtime."""
        ...

    def collect_logs(self, into: Path) -> None:
        """Write the logs of every component of every node; never raises for a missing one.

        Raises `ClusterError` when they cannot be written.
        """
        ...


class Provider(Protocol):
    """Starts and stops clusters of one kind."""

    def capabilities(self, spec: ClusterSpec) -> frozenset[str]: ...

    def start(self, spec: ClusterSpec) -> Cluster: ...

    def stop(self, cluster: Cluster) -> None: ...
