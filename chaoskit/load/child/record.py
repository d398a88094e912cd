"""What the child writes into the record: a row for each slot, marks for the load."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from chaoskit import clock
from chaoskit.history.events import ClockPair, DriverHealth, LoadMark, Note
from chaoskit.history.folder import RecordFolder
from chaoskit.history.requests import RequestRow
from chaoskit.history.writer import EventWriter, RequestWriter
from chaoskit.load.child.asking import Ended
from chaoskit.load.messages import Begin
from chaoskit.load.profile import LoadPlan
from chaoskit.load.slot_row import row_of

Mark = Literal["started", "steady", "stopping", "stopped"]

#: Shorter than the writer's own: sealing holds up the schedule, so little is sealed at a time.
_SEAL_INTERVAL_S = 0.25


class LoadRecord:
    """The record files of one process's part of a load, requests and events; a context that
    closes both. `load_id` is what the record calls that part.
    """

    def __init__(self, begin: Begin) -> None:
        self._plan = begin.plan
        self._rate_per_s = 0.0
        if isinstance(begin.plan, LoadPlan):
            self._rate_per_s = begin.plan.highest_rate_per_s / begin.part.count
        self.load_id = begin.part.load_id(begin.plan.load_id)
        record = RecordFolder(Path(begin.record_folder))
        self._requests = RequestWriter(
            record.new_requests_file(self.load_id), seal_interval_s=_SEAL_INTERVAL_S
        )
        self._events = EventWriter(record.new_events_file(f"load-{self.load_id}"))

    def slot(self, ended: Ended) -> None:
        """Add the row of one slot. A slot that was never tried has no end."""
        answer = ended.answer
        self.request(
            row_of(
                ended.slot,
                ended.judged,
                load_id=self.load_id,
                planned_ns=ended.planned_ns,
                end_ns=ended.end_ns,
                attempt=ended.attempt,
                status=answer.get_code() if answer else None,
                headers=answer,
                user=ended.user,
            )
        )

    def request(self, row: RequestRow) -> None:
        """Add a row."""
        self._requests.append(row)

    def seal_if_due(self) -> None:
        """Put what is older than the writer's interval on file."""
        self._requests.seal_if_due()

    def mark(
        self,
        mark: Mark,
        *,
        planned: int,
        detail: str,
        streams: list[str],
    ) -> None:
        """Mark a moment in the load's life; on file at once. A closed loop has no rate planned."""
        self._events.append(
            LoadMark(
                time_ns=clock.now_ns(),
                load_id=self.load_id,
                mark=mark,
                rate_per_s=self._rate_per_s,
                streams=streams,
                planned=planned,
                detail=detail,
                loop="open" if isinstance(self._plan, LoadPlan) else "closed",
                services={one.name: one.service for one in self._plan.streams if one.service},
            )
        )
        self._events.seal()

    def health(self, event: DriverHealth) -> None:
        """How this process fared."""
        self._events.append(event)

    def note(self, level: Literal["info", "warning"], text: str) -> None:
        """Something that a reader of the record should know of this load."""
        source = f"load {self.load_id}"
        self._events.append(Note(time_ns=clock.now_ns(), source=source, level=level, text=text))

    def pair_clocks(self) -> None:
        """Note wall and monotonic time together."""
        self._events.append(
            ClockPair(time_ns=clock.now_ns(), wall_ns=clock.wall_ns(), boot_id=clock.boot_id())
        )

    def close(self) -> None:
        """Seal what is left and close both files."""
        try:
            self._requests.close()
        finally:
            self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def warm_up() -> None:
    """Write and seal one row to nowhere in particular.

    The first use of the columnar library loads and sets up much; in the middle of a load that
    would hold up the schedule for 0.1 s.
    """
    row = RequestRow("", "", "", "", 0, "", 0, None, None, None, "unsent")
    with (
        tempfile.TemporaryDirectory(prefix="chaoskit-load-") as folder,
        RequestWriter(Path(folder) / "requests.ckl") as requests,
    ):
        requests.append(row)
