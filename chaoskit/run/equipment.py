"""What a session lends to its runs, one after the other."""

from dataclasses import dataclass

from chaoskit.faults.ledger.guard import Guard
from chaoskit.load.driver import Driver
from chaoskit.load.sampling import ControlTarget
from chaoskit.run.ceiling import Measured
from chaoskit.run.injection import Told


@dataclass(frozen=True)
class Equipment:
    """The driver of its loads, and what there is besides.

    `control` is a server that no fault touches, `measured` knows what the driver can send at most,
    `guard` heals when this process is killed, and `dirty` is told why the cluster cannot be used
    any more.
    """

    driver: Driver
    control: ControlTarget | None = None
    measured: Measured | None = None
    guard: Guard | None = None
    dirty: Told = lambda reason: None
