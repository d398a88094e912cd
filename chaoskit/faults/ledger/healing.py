"""Healing from the ledger: what any process does with faults that another one left open."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from chaoskit import clock
from chaoskit.cluster.existing import PREFIX, ExistingCluster
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import labels, leftovers
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ChaoskitError, FaultError
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.entry import Entry
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.waiting import wait_until

#: How long a fault may still be measured after its heal has returned.
GONE_WITHIN_S = 10.0


def heal_and_see(fault: Fault, cluster: Cluster) -> None:
    """Heal the fault, and measure that its effect is gone. Raises what the fault raises.

    Raises `WaitTimeout` when the effect is still there after 10 s. A one-shot fault has none that
    could go: its own heal has waited for the recovery.
    """
    fault.heal(cluster)
    if fault.one_shot:
        return
    last = ["in effect"]

    def gone() -> bool:
        try:
            return not fault.is_effective(cluster)
        except ChaoskitError as error:  # what was broken may take a moment until it can be asked
            last[0] = str(error)
            return False

    wait_until(
        gone,
        what=f"{fault.name} on {fault.target} to be without effect after its heal",
        timeout_s=GONE_WITHIN_S,
        interval_s=0.05,
        seen=lambda: last[0],
        next_step="chaoskit heal tries again",
    )


@dataclass(frozen=True, kw_only=True)
class Healed:
    """What became of one entry: healed, gone with its cluster, or still open."""

    entry: Entry
    outcome: Literal["healed", "gone", "open"]
    spent_s: float
    reason: str = ""

    def __str__(self) -> str:
        said = {
            "healed": f"healed in {self.spent_s:.2f} s",
            "gone": "gone with its cluster",
            "open": f"still open: {self.reason}",
        }
        return f"{self.entry}: {said[self.outcome]}"


class Healer(AbstractContextManager["Healer"]):
    """Heals entries; holds the clusters that it has connected to until it is closed."""

    def __init__(self, provider: K3sProvider, ledger: Ledger) -> None:
        self._provider = provider
        self._ledger = ledger
        self._clusters: dict[str, K3sCluster | ExistingCluster] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Let go of the clusters; they stay as they are."""
        for cluster in self._clusters.values():
            cluster.close()
        self._clusters.clear()

    def connect(self, name: str) -> K3sCluster | ExistingCluster:
        """The cluster of that name, kept for the next time. Raises `ClusterError`, `UsageError`."""
        if name not in self._clusters:
            is_existing = name.startswith(PREFIX)
            self._clusters[name] = (
                ExistingCluster.named(name) if is_existing else self._provider.find(name)
            )
        return self._clusters[name]

    def heal(self, entries: Iterable[Entry]) -> Iterator[Healed]:
        """Heal these in their order, each as the iteration comes to it; one that fails is told.

        The order of `Ledger.read` is the right one: the last injected first.
        """
        for entry in entries:
            begun_ns = clock.now_ns()
            outcome: Literal["healed", "gone", "open"] = "open"
            reason = ""
            try:
                outcome = self._heal(entry)
            except Exception as error:  # a fault may be anybody's code, and the others still wait
                reason = str(error) if isinstance(error, ChaoskitError) else repr(error)
                self._let_go(entry.cluster)
            spent_s = (clock.now_ns() - begun_ns) / 1e9
            yield Healed(entry=entry, outcome=outcome, spent_s=spent_s, reason=reason)

    def _let_go(self, name: str) -> None:
        """The next attempt asks the engine anew: somebody else may have removed the cluster."""
        cluster = self._clusters.pop(name, None)
        if cluster is not None:
            cluster.close()

    def _heal(self, entry: Entry) -> Literal["healed", "gone"]:
        if entry.cluster not in self._clusters and not entry.cluster.startswith(PREFIX):
            here = self._provider.engine_id
            if entry.engine not in ("", here):
                raise FaultError(
                    "its cluster is on another engine",
                    subject=str(entry),
                    seen=f"engine {entry.engine}, asked was {here}",
                    next_step="chaoskit heal with DOCKER_HOST of that engine",
                )
            if not leftovers.found(self._provider.client, entry.cluster):
                self._ledger.close(entry.id)
                return "gone"
        heal_and_see(entry.rebuilt(), self.connect(entry.cluster))
        self._ledger.close(entry.id)
        return "healed"


def nobody_heals(entry: Entry) -> bool:
    """Whether it is left to whoever comes: its owner is dead, or unseen and long over its time."""
    return entry.life == "dead" or (entry.life == "out of sight" and entry.is_overdue)


def heal_left_behind(provider: K3sProvider, *, owner: labels.Owner | None = None) -> list[str]:
    """Heal what killed processes left open, or what is open of `owner`; what became of each.

    What cannot be healed or read is told too; it is no error here, as it concerns another run.
    """
    ledger = Ledger()
    reading = ledger.read()
    wanted = [e for e in reading.entries if _is_left(e, owner)]
    with Healer(provider, ledger) as healer:
        said = [str(one) for one in healer.heal(wanted)]
    return said + [str(one) for one in reading.unreadable]


def _is_left(entry: Entry, owner: labels.Owner | None) -> bool:
    return nobody_heals(entry) if owner is None else entry.owner == str(owner)
