"""Reading the record: lazily, whatever its writers' fate, and never more certain than it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, overload

import msgspec

from chaoskit.errors import RecordError
from chaoskit.history.events import AnyEvent, Event
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.frames import FileContents, FrameKind, read_frames
from chaoskit.history.requests import REQUESTS, RequestRow, table_of
from chaoskit.history.tables import (
    Numbers,
    RequestColumns,
    Table,
    Texts,
    source_of_files,
    source_of_table,
)
from chaoskit.history.writer import unpack_lines

E = TypeVar("E", bound=Event)
T = TypeVar("T")

#: A file whose writer neither closed it nor sealed a frame in the last this many seconds of the
#: record belongs to a writer that died (one that lives seals at least once a second).
_DEAD_AFTER_NS = 2_500_000_000


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A part of the record that is missing: between `since_ns` and `until_ns` (None: the end).

    `kind`: `torn` (the tail of a file), `lost` (a frame in its middle), `died` (its writer ended
    without closing it while others went on).
    """

    file: str
    holds: Literal["events", "requests"]
    kind: Literal["torn", "lost", "died"]
    since_ns: int
    until_ns: int | None
    detail: str

    def overlaps(self, start_ns: int | None, end_ns: int | None) -> bool:
        """Whether something between the two moments may be missing (None: no limit)."""
        begins_before = end_ns is None or self.since_ns <= end_ns
        ends_after = start_ns is None or self.until_ns is None or self.until_ns >= start_ns
        return begins_before and ends_after


class History:
    """One run's record. Nothing big is read before it is asked for."""

    def __init__(
        self,
        *,
        folder: RecordFolder | None,
        info: RunInfo | None,
        parts: "tuple[Sequence[AnyEvent], RequestColumns, Sequence[Damage]] | None" = None,
    ) -> None:
        self.folder = folder
        self.info = info
        self._parts = parts
        self._of: dict[tuple[type[Event], ...], list[Event]] = {}
        self._made: dict[Any, Any] = {}

    @classmethod
    def open(cls, path: Path) -> "History":
        """A stored record. Raises `RecordError` when missing or of another schema version."""
        folder = RecordFolder(path)
        return cls(folder=folder, info=folder.info())

    @classmethod
    def of_parts(
        cls,
        *,
        events: Iterable[AnyEvent] = (),
        requests: Table | Sequence[RequestRow] = (),
        info: RunInfo | None = None,
        damage: Sequence[Damage] = (),
    ) -> "History":
        """A history made by hand. Raises `RecordError` for requests of another shape."""
        table = requests if isinstance(requests, Table) else table_of(requests)
        columns = RequestColumns(source_of_table(table, "a table made by hand"))
        return cls(folder=None, info=info, parts=(_by_time(events), columns, tuple(damage)))

    @cached_property
    def events(self) -> Sequence[AnyEvent]:
        """All events of all writers, by time. Raises `RecordError` for one that is malformed."""
        if self._parts is not None:
            return self._parts[0]
        decoder = msgspec.json.Decoder(AnyEvent)
        return _by_time(
            event for contents in self._event_files for event in _events_in(contents, decoder)
        )

    @overload
    def of(self, kind: type[E], /) -> list[E]: ...
    @overload
    def of(self, /, *kinds: type[Event]) -> list[Event]: ...
    def of(self, /, *kinds: type[Event]) -> list[E] | list[Event]:
        """The events of these types, by time."""
        if kinds not in self._of:
            self._of[kinds] = [event for event in self.events if isinstance(event, kinds)]
        return self._of[kinds]

    @property
    def requests(self) -> Table:
        """All requests of all writers by planned time, columns as in `REQUESTS`, in one chunk.

        Raises `RecordError` when a column is missing or a value impossible.
        """
        return self.columns(*REQUESTS.names)

    def columns(self, *names: str) -> Table:
        """Some columns of `requests`; only these are read and held in memory."""
        return self._columns.table(names)

    def read(self, *names: str) -> None:
        """Read columns that will be asked for one by one: all of them in one pass."""
        self._columns.read(names)

    def texts(self, name: str) -> Texts:
        """A column of few different texts, as codes into these."""
        return self._columns.texts(name)

    def numbers(self, name: str) -> Numbers:
        """A column of integers, -1 where a request has none. It must not be written to."""
        return self._columns.numbers(name)

    def once(self, work: "Callable[[History], T]", /) -> T:
        """What a pure function makes of this history: done once, whoever asks for it."""
        if work not in self._made:
            self._made[work] = work(self)
        made: T = self._made[work]
        return made

    @cached_property
    def damage(self) -> Sequence[Damage]:
        """What is missing. Never an error: the rest of the record can be judged."""
        if self._parts is not None:
            return self._parts[2]
        files = [*self._event_files, *self._request_files]
        end_ns = max((contents.sealed_ns for contents in files), default=0)
        return [damage for contents in files for damage in _damage_of(contents, end_ns)]

    @cached_property
    def _event_files(self) -> list[FileContents]:
        return [read_frames(path) for path in self._existing_folder.events_files()]

    @cached_property
    def _request_files(self) -> list[FileContents]:
        return [read_frames(path) for path in self._existing_folder.requests_files()]

    @cached_property
    def _columns(self) -> RequestColumns:
        if self._parts is not None:
            return self._parts[1]
        return RequestColumns(source_of_files(self._request_files))

    @property
    def _existing_folder(self) -> RecordFolder:
        assert self.folder is not None  # a history without parts was opened from a folder
        return self.folder


def _by_time(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    return sorted(events, key=lambda event: event.time_ns)


def _events_in(
    contents: FileContents, decoder: msgspec.json.Decoder[AnyEvent]
) -> Iterable[AnyEvent]:
    for payload in contents.payloads(FrameKind.EVENTS):
        for line in unpack_lines(memoryview(payload)):
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise RecordError(
                    "holds a malformed event", subject=f"record file {contents.path}", seen=error
                ) from error


def _damage_of(contents: FileContents, end_ns: int) -> list[Damage]:
    holds = cast(Literal["events", "requests"], contents.path.name.split("-", 1)[0])
    found = [
        Damage(
            file=contents.path.name,
            holds=holds,
            kind="torn" if hole.torn else "lost",
            since_ns=hole.since_ns,
            until_ns=hole.until_ns,
            detail=hole.detail,
        )
        for hole in contents.holes
    ]
    torn = any(hole.torn for hole in contents.holes)
    if not contents.closed and not torn and end_ns - contents.sealed_ns > _DEAD_AFTER_NS:
        found.append(
            Damage(
                file=contents.path.name,
                holds=holds,
                kind="died",
                since_ns=contents.sealed_ns,
                until_ns=None,
                detail="its writer ended without closing it",
            )
        )
    return found
