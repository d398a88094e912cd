"""A harness that injects a fault and stops at a named point, to be killed there.

`python -m tests.cluster.killable_harness CLUSTER FAULT PARAMETERS POINT AT_MOST_S`. It says `up`
with its guardian's process id, then the point when it has come to it.
"""

import dataclasses
import json
import signal
import sys
import threading
from contextlib import closing
from typing import Any, Literal

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch.interrupts import sigterm_raises
from chaoskit.cluster.provider import Cluster
from chaoskit.faults.catalogue import fault_of
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.guard import Guard
from chaoskit.run.composition import at_once
from chaoskit.run.effect import FaultMoment
from chaoskit.run.injection import Injector

#: Where it can stop: before the ledger, between ledger and injection, after the injection but
#: before anybody has noted it, in effect, when the heal was asked for, when it is done and not
#: noted.
POINTS = ("before", "ledger", "injected", "effect", "heal", "healed")
#: A signal is held back while a heal is under way: there it has to go on by itself.
_HELD_S = 2.0
_EFFECTIVE_WITHIN_S = 60.0


class Silent:
    """Nobody is told of the fault's moments."""

    def new_id(self, name: str) -> str:
        return name

    def fault(
        self, fault_id: str, name: str, target: str, mark: FaultMoment, detail: str = ""
    ) -> None:
        pass

    def note(self, level: Literal["info", "warning", "error"], text: str) -> None:
        pass


def main(cluster_name: str, fault_name: str, parameters: str, point: str, at_most_s: str) -> None:
    """Inject, stop at the point, and go on when nothing has ended it there."""
    assert point in POINTS, point
    # Where the tests run in the background of a shell, it is ignored from the start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with sigterm_raises(), closing(K3sProvider()) as provider, Guard() as guard:
        cluster = provider.find(cluster_name)
        with closing(cluster):
            fault = stopping(fault_of(fault_name, json.loads(parameters)), point)
            injector = Injector(cluster=cluster, log=Silent(), guard=guard)
            guard.wait_watching(cluster.name)
            say(f"up {guard.pid}")
            if point == "before":
                stop_at(point)
            with at_once(
                injector,
                [fault],
                at_most_s=float(at_most_s),
                effective_within_s=_EFFECTIVE_WITHIN_S,
            ):
                if point == "effect":
                    stop_at(point)


def stopping(fault: Fault, point: str) -> Fault:
    """The same fault, which stops at a point of its injection or heal."""
    kind: Any = type(fault)

    def inject(self: Fault, cluster: Cluster, *, heal_after_s: float) -> None:
        if point == "ledger":
            stop_at(point)
        kind.inject(self, cluster, heal_after_s=heal_after_s)
        if point == "injected":
            stop_at(point)

    def heal(self: Fault, cluster: Cluster) -> None:
        if point == "heal":
            stop_at(point, for_s=_HELD_S)
        kind.heal(self, cluster)
        if point == "healed":
            stop_at(point, for_s=_HELD_S)

    made = type(kind.__name__, (kind,), {"inject": inject, "heal": heal})
    stopped: Fault = made(
        **{one.name: getattr(fault, one.name) for one in dataclasses.fields(kind)}
    )
    return stopped


def stop_at(point: str, *, for_s: float | None = None) -> None:
    """Say that it is there, and wait for what comes."""
    say(f"at {point}")
    threading.Event().wait(for_s)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
