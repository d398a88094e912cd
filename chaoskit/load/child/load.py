"""What the child needs of a load of any kind."""

from typing import Protocol


class Load(Protocol):
    """One part of a load under way in this process."""

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended, as far as it is known."""
        ...

    @property
    def unserved(self) -> int:
        """Users of a closed loop that have had no good answer of late."""
        ...

    def start(self) -> None:
        """Begin to send."""
        ...

    def run_to_end(self) -> str:
        """Wait until it has ended, answers and all; what ended it. Re-raises what broke it."""
        ...

    def stop(self, *, until_ns: int = 0, drain_s: float | None = None) -> None:
        """Send what an open loop has planned until `until_ns` (0: until now) and nothing new; wait
        for answers at most `drain_s`, by default as long as planned.
        """
        ...

    def fail(self, error: BaseException) -> None:
        """End the load because of something that it cannot account for; `run_to_end` raises it."""
        ...


class CannotDrive(Exception):
    """A load that cannot begin, through no fault of this process: what is told to the driver."""

    def __init__(self, problem: str, *, seen: str, next_step: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.seen = seen
        self.next_step = next_step
