"""Injecting a fault: written down before, proved in effect while it lasts, healed on every way out.

The order is always: entry in the ledger, mark, inject, measure, heal, see it gone, close the entry.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from chaoskit import clock
from chaoskit.cluster.launch import labels
from chaoskit.cluster.launch.interrupts import interrupts_held
from chaoskit.cluster.provider import Cluster
from chaoskit.faults.catalogue import fault_types
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.entry import Entry, entry_for
from chaoskit.faults.ledger.guard import Guard
from chaoskit.faults.ledger.healing import heal_and_see
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.guarantees.fault_windows import ONE_SHOT
from chaoskit.run.effect import EffectWatch, FaultLog
from chaoskit.run.outcome import CapabilityAbsent

#: The node heals by itself this much later than the longest time that the scenario asked for.
HEAL_MARGIN_S = 30.0


class Told(Protocol):
    """Told that the cluster is not what it was: a fault could not be seen healed."""

    def __call__(self, reason: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Injector:
    """Where faults are injected, who is told of them, and who heals when this process cannot."""

    cluster: Cluster
    log: FaultLog
    guard: Guard
    ledger: Ledger = field(default_factory=Ledger)
    #: Asked of each fault before anything happens; raises what refuses it.
    require: Callable[[Fault, Collection[str]], None] = lambda fault, allow: None
    dirty: Told = lambda reason: None
    #: What is injected and not healed yet, for whoever ends the run.
    open: list["Injection"] = field(default_factory=list)

    def begin(self, fault: Fault, *, at_most_s: float, allow: Collection[str] = ()) -> "Injection":
        """Inject it; whoever asked has to `end` what is returned, in effect or not.

        `allow` names what it may touch besides (`chaoskit.run.blast_radius`). Raises
        `CapabilityAbsent` where this cluster cannot have it, and what the fault raises; then it
        is healed already.
        """
        if missing := fault.requires - self.cluster.capabilities:
            raise CapabilityAbsent(
                f"this cluster lacks {', '.join(sorted(missing))}",
                subject=f"fault {fault.name} on {fault.target}",
                next_step="chaoskit doctor says what this engine and image can do",
            )
        self.require(fault, allow)
        self.guard.wait_watching(self.cluster.name)
        injection = Injection(fault, self)
        try:
            injection.begin(heal_after_s=at_most_s + HEAL_MARGIN_S)
        except BaseException as error:
            injection.end(error)
            raise
        return injection

    @contextmanager
    def all_ended(self) -> Iterator[list["Injection"]]:
        """A list for what is begun in this context; at its end all in it is ended, last first.

        Each is ended whatever becomes of the others.
        """
        begun: list[Injection] = []
        cause: BaseException | None = None
        try:
            yield begun
        except BaseException as error:
            cause = error
            raise
        finally:
            self._end(begun, cause)

    def close(self) -> None:
        """End what is open still: an interrupt may have come between two statements."""
        self._end(list(self.open), None)

    def _end(self, injections: Sequence["Injection"], cause: BaseException | None) -> None:
        failures: list[BaseException] = []
        for injection in reversed(injections):
            try:
                injection.end(cause)
            except BaseException as failure:  # the others have to be healed before it may go on
                failures.append(failure)
        # An interrupt comes first: whoever takes an error for a scenario's own would go on.
        failures.sort(key=lambda failure: isinstance(failure, Exception))
        for further in failures[1:]:
            failures[0].add_note(f"and {type(further).__name__}: {further}")
        if failures:
            raise failures[0]


class Injection:
    """One fault from its entry in the ledger to its verified heal. Made by `Injector.begin`."""

    def __init__(self, fault: Fault, injector: Injector) -> None:
        self.fault = fault
        self._injector = injector
        self._entry: Entry | None = None
        self._ended = False
        self._watch = EffectWatch(fault, injector.cluster, injector.log)

    def begin(self, *, heal_after_s: float) -> None:
        """Write it down, then inject it, then begin to measure."""
        cluster, injector = self._injector.cluster, self._injector
        entry = entry_for(
            self.fault,
            cluster=cluster.name,
            engine=cluster.engine_id,
            heal_after_s=heal_after_s,
            owner=labels.this_process(),
        )
        with interrupts_held():  # either nothing is open, or `end` knows that something is
            injector.ledger.open(entry)
            self._entry = entry
            injector.open.append(self)
        self._watch.mark("requested")
        if self.fault.name not in fault_types():
            injector.log.note(
                "warning",
                f"{self.fault.name} is in no catalogue: only this process can heal it",
            )
        self.fault.inject(cluster, heal_after_s=heal_after_s)
        self._watch.mark("injected", ONE_SHOT if self.fault.one_shot else "")
        self._watch.start()

    def wait_effective(self, timeout_s: float) -> None:
        """Wait until its effect was measured; raises `FaultError`."""
        self._watch.wait_effective(timeout_s)

    def end(self, cause: BaseException | None = None) -> None:
        """Heal it and see it gone; may be repeated. A first interrupt waits until that is done.

        What cannot be seen healed stays in the ledger, and makes the cluster dirty. `cause` is
        what ends it early; a heal that fails then is told with it.
        """
        if self._entry is None or self._ended:
            return
        with interrupts_held():
            self._ended = True
            try:
                self._watch.stop()
                self._watch.mark("heal_requested")
                self._note_overtime(self._entry)
            finally:  # a record that is full or closed keeps no fault from being healed
                self._heal(self._entry, cause)

    def _heal(self, entry: Entry, cause: BaseException | None) -> None:
        try:
            heal_and_see(self.fault, self._injector.cluster)
        except BaseException as error:
            self._failed(error)
            if cause is None or not isinstance(error, Exception):
                raise
            cause.add_note(f"and {self.fault.name} could not be healed: {error}")
        else:
            try:
                self._watch.mark("healed")
            finally:
                self._injector.ledger.close(entry.id)
                self._injector.open.remove(self)

    def _note_overtime(self, entry: Entry) -> None:
        over_s = (clock.now_ns() - entry.heal_at_ns) / 1e9
        if over_s > 0 and not self.fault.one_shot:
            self._injector.log.note(
                "warning",
                f"{entry} lasted {over_s:.1f} s longer than it may: where it can, it healed by "
                "itself before; if it is meant to last, give it longer: at_most_s",
            )

    def _failed(self, error: BaseException) -> None:
        said = f"{type(error).__name__}: {error}"
        reason = f"{self._entry}: could not be seen healed: {said}"
        self._injector.dirty(reason)  # first: the record may be full or closed
        self._watch.mark("heal_failed", said)
        self._injector.log.note("error", reason)
