"""A run: what a scenario holds as `chaos`, from the first watched object to the verdict."""

from chaoskit.run.composition import Planned
from chaoskit.run.equipment import Equipment
from chaoskit.run.outcome import CapabilityAbsent, NotHeld
from chaoskit.run.run import Run
from chaoskit.run.setup import RunSetup

__all__ = ["CapabilityAbsent", "Equipment", "NotHeld", "Planned", "Run", "RunSetup"]
