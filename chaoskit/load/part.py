"""Several processes drive one load: each sends its own part of the slots, all at their time."""

import math

import msgspec

from chaoskit.load.checks import refused

MAX_PARTS = 64


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Every `count`-th slot (or user) of a load, from number `index` on.

    `origin_ns` is the moment of the schedule's beginning on CLOCK_MONOTONIC, the same for all
    parts of a load; 0 lets the process choose it. Processes with different clocks, on other
    machines, cannot share one.
    """

    index: int = 0
    count: int = 1
    origin_ns: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count <= MAX_PARTS:
            seen = f"part {self.index} of {self.count}"
            raise refused("a part of a load", seen, f"count from 0; at most {MAX_PARTS} parts")

    def holds(self, number: int) -> bool:
        """Whether the slot or user of this number is sent by this part."""
        return number % self.count == self.index

    def limit(self, total: int) -> int:
        """Its part of a limit that is meant for the whole load, rounded up."""
        return math.ceil(total / self.count)

    def number_of(self, total: int) -> int:
        """How many of the numbers 0 to `total` - 1 it holds."""
        return len(range(self.index, total, self.count))

    def load_id(self, whole: str) -> str:
        """How the record calls it. Each process is a load of its own there, because each can be
        late or die on its own, and requests are judged by what their own driver was like.
        """
        return whole if self.count == 1 else f"{whole}.{self.index + 1}of{self.count}"
