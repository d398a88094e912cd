"""A node's network becomes narrow."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path, _rates
from chaoskit.faults.network._path import INTERFACE


@dataclass(frozen=True)
class Bandwidth:
    """Let a node send, or receive, at most `rate_mbit` Mbit/s by its network interface.

    Breaks: what the node and its pods send, or receive, waits in a queue of 0.2 s, and beyond that
    is lost. Measuring the effect takes about a fifth of the rate while the fault lasts.
    Kubernetes answers: nothing, until leases or probes run out.
    Heal: what waits goes at once; by the agent's own timer when nobody asks for it.
    Requires: the node agent, another node to measure with, and NFQUEUE for what is received.
    """

    node: str
    rate_mbit: float
    direction: Literal["sending", "receiving"] = "sending"

    name: ClassVar[str] = "bandwidth"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        if not _rates.LEAST_MBIT <= self.rate_mbit <= _rates.MOST_MBIT:
            raise UsageError(
                "is no rate that can be injected and seen",
                subject=f"{self.rate_mbit:g} Mbit/s",
                next_step=f"give {_rates.LEAST_MBIT:g} to {_rates.MOST_MBIT:g}",
            )

    @property
    def target(self) -> str:
        """The node."""
        return f"{self.node}, {self.direction}"

    @property
    def reach(self) -> Reach:
        """The node."""
        return Reach(nodes=frozenset({self.node}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Put a token bucket on the interface, or a delayer in front of what arrives by it."""
        parameters: dict[str, Any] = {"rate_bit_per_s": self.rate_mbit * 1e6}
        if self.direction == "receiving":
            parameters["selections"] = [{"at": "arriving", **self._where}]
        cluster.node(self.node).agent.call(
            "inject",
            kind=self._kind,
            parameters=parameters | self._identity,
            heal_after_s=heal_after_s,
        )

    def is_effective(self, cluster: Cluster) -> bool:
        """Datagrams sent as fast as can be arrive at no more than that rate."""
        return _rates.is_limited(cluster, self.node, self.rate_mbit, self.direction)

    def heal(self, cluster: Cluster) -> None:
        """Widen it again. Raises `ClusterError` if the agent cannot."""
        cluster.node(self.node).agent.call("heal", kind=self._kind, parameters=self._identity)

    @property
    def _kind(self) -> str:
        return "bandwidth" if self.direction == "sending" else "delay"

    @property
    def _where(self) -> dict[str, str]:
        return {"interface": INTERFACE}

    @property
    def _identity(self) -> dict[str, str]:
        if self.direction == "sending":
            return self._where
        return {"label": _path.label_of(self.name, asdict(self))}
