"""What every fault is: what breaks, as data, with how to break, see and mend it."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from chaoskit.cluster.provider import Cluster


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a fault may touch, and nothing else: its blast radius.

    `cut` names nodes that traffic may not pass any more, `nodes` all whose processes, network or
    Kubernetes object it changes. `control_plane` says that the API may stop answering, `registry`
    that the private registry beside the nodes may. `only_own`: of its nodes it touches nothing but
    processes that the run itself has started there.
    """

    nodes: frozenset[str] = frozenset()
    cut: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    control_plane: bool = False
    registry: bool = False
    only_own: bool = False


class Fault(Protocol):
    """One fault: a frozen dataclass of plain values, so that any process can heal it from a file.

    `name` in words of the field, `target` what it hits, for marks and messages. Whatever the heal
    needs beyond its own fields stays with what was broken: in the node's agent, or as an
    annotation or object in the cluster; never in this process.
    """

    name: ClassVar[str]
    requires: ClassVar[frozenset[str]]
    #: Over in a moment (a delete, a kill): nothing to undo, so its heal waits for the recovery.
    one_shot: ClassVar[bool]

    @property
    def target(self) -> str: ...

    @property
    def reach(self) -> Reach: ...

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Break it. Something on the other side heals by itself after `heal_after_s`, if it can."""
        ...

    def is_effective(self, cluster: Cluster) -> bool:
        """Whether it is broken right now, measured by another path than the injection."""
        ...

    def heal(self, cluster: Cluster) -> None:
        """Mend it: idempotent, harmless if never injected, verified before it returns."""
        ...
