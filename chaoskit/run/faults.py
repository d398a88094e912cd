"""The faults of one run: injected as a scenario asks for them, within what it may touch."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.guard import Guard
from chaoskit.run import composition
from chaoskit.run.blast_radius import require_on
from chaoskit.run.composition import Planned
from chaoskit.run.injection import Injector, Told
from chaoskit.run.loads import Loads
from chaoskit.run.marks import Marks


class Faults:
    """Injects for one run. Without a `guard` it starts one of its own when the first is needed."""

    def __init__(
        self,
        cluster: Cluster,
        marks: Marks,
        loads: Loads,
        *,
        namespace: str,
        shares_cluster: bool,
        guard: Guard | None,
        dirty: Told,
    ) -> None:
        self._cluster = cluster
        self._loads = loads
        self._namespace = namespace
        self._shares_cluster = shares_cluster
        self._own_guard = Guard() if guard is None else None
        self._injector = Injector(
            cluster=cluster,
            log=marks,
            guard=guard or self._own_guard or Guard(),
            require=self._require,
            dirty=dirty,
        )

    def inject(
        self,
        faults: Sequence[Fault],
        *,
        at_most_s: float,
        effective_within_s: float,
        allow: Collection[str],
    ) -> AbstractContextManager[None]:
        """A context in which all of these are in effect."""
        return composition.at_once(
            self._injector,
            faults,
            at_most_s=at_most_s,
            effective_within_s=effective_within_s,
            allow=allow,
        )

    def flap(
        self,
        fault: Fault,
        *,
        down_s: float,
        up_s: float,
        times: int,
        effective_within_s: float,
        allow: Collection[str],
    ) -> None:
        """Inject and heal it so many times."""
        composition.flap(
            self._injector,
            fault,
            down_s=down_s,
            up_s=up_s,
            times=times,
            effective_within_s=effective_within_s,
            let_pass=self._let_pass,
            allow=allow,
        )

    def play(self, plan: Sequence[Planned], *, allow: Collection[str]) -> None:
        """Inject and heal what is planned."""
        composition.play(self._injector, plan, let_pass=self._let_pass, allow=allow)

    def close(self) -> None:
        """Heal what is open still, and end a guardian of its own."""
        try:
            self._injector.close()
        finally:
            if self._own_guard is not None:
                self._own_guard.close()

    def _require(self, fault: Fault, allow: Collection[str]) -> None:
        require_on(
            self._cluster,
            fault,
            allow,
            namespaces={self._namespace},
            entries=self._loads.entries,
            cut={name for one in self._injector.open for name in one.fault.reach.cut},
            is_shared=self._shares_cluster,
        )

    def _let_pass(self, seconds: float) -> None:
        """Let time pass; a load that dies ends it."""
        for load in self._loads.running:
            if not load.ended:
                load.run_for(seconds=seconds)
                return
        composition.let_pass(seconds)
