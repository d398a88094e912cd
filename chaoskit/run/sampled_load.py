"""A load and the sampler beside it, begun and ended together."""

from types import TracebackType
from typing import Self

from chaoskit.errors import LoadError
from chaoskit.load.driver import RunningLoad
from chaoskit.load.messages import LoadSummary, Plan
from chaoskit.load.running import stop_at_exit
from chaoskit.load.sampling import Sampler


class SampledLoad:
    """What a scenario holds as `load`. As a context both are stopped at its end."""

    def __init__(self, load: RunningLoad[Plan], sampler: Sampler, entries: frozenset[str]) -> None:
        self._load = load
        self._sampler = sampler
        #: The nodes through which its requests come in.
        self.entries = entries

    @property
    def plan(self) -> Plan:
        """What the load sends."""
        return self._load.plan

    @property
    def ended(self) -> bool:
        """Whether the load was seen to have stopped or died."""
        return self._load.ended

    def wait_steady(self, *, timeout_s: float) -> None:
        """Wait until every stream has had its answers at about the planned rate for 1.5 s.

        Raises `WaitTimeout`, `LoadError`.
        """
        self._load.wait_steady(timeout_s=timeout_s)

    def run_for(self, *, seconds: float) -> None:
        """Let the load run for so long. Raises `LoadError` if it dies."""
        self._load.run_for(seconds=seconds)

    def stop(self) -> LoadSummary:
        """Stop the load, then the sampler, which so covers all of it; idempotent.

        Raises `LoadError` if one of them died; the record says which.
        """
        try:
            summary = self._load.stop()
        except LoadError as error:
            try:
                self._sampler.stop()
            except LoadError as second:
                error.add_note(f"and {second}")
            raise
        self._sampler.stop()
        return summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop_at_exit(self.stop, error)
