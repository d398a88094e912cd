"""Record files: a header, then checksummed frames, each appended with a single write.

A process that is killed loses what it had not yet sealed and at worst tears its last frame. A
reader drops the torn tail, steps over a frame whose checksum is wrong, and says what time may be
missing. Every frame carries when it was sealed; an idle writer seals an empty one, so the last
frame of a file also tells until when its writer lived. What a frame holds is read when it is asked
for: a record may be bigger than the memory that judging it may take.
"""

import enum
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chaoskit.errors import RecordError
from chaoskit.history import SCHEMA_VERSION

_MAGIC = b"chaoskit-record\n"
_FILE_HEADER = struct.Struct("<16sI")
_MARKER = b"\xc5\x9cKf"
_FRAME_HEADER = struct.Struct("<4sBIqqI")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _FRAME_HEADER.size + _CHECKSUM.size
_PIECE_BYTES = 1 << 20


class FrameKind(enum.IntEnum):
    """What a frame holds. ALIVE holds nothing; END is the last frame of a writer that closed."""

    EVENTS = 1
    REQUESTS = 2
    ALIVE = 3
    END = 4


@dataclass(frozen=True)
class Frame:
    """One intact frame. `first_ns` is the earliest moment it holds, `sealed_ns` its writing.

    Its payload is `length` bytes of the file from `start` on.
    """

    kind: FrameKind
    first_ns: int
    sealed_ns: int
    start: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Hole:
    """Bytes that could not be read. What was lost lies between `since_ns` and `until_ns`.

    `until_ns` None: up to the end of the record.
    """

    torn: bool
    since_ns: int
    until_ns: int | None
    detail: str


@dataclass
class FileContents:
    """What a record file holds: its intact frames and its holes."""

    path: Path
    frames: list[Frame] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        """Whether the writer closed the file, rather than died or is still writing."""
        return bool(self.frames) and self.frames[-1].kind is FrameKind.END

    @property
    def sealed_ns(self) -> int:
        """When the last intact frame was sealed; 0 for none."""
        return self.frames[-1].sealed_ns if self.frames else 0

    def payloads(self, kind: FrameKind) -> Iterator[bytes]:
        """What the frames of one kind hold. Raises `RecordError` when the file is not as it was."""
        frames = [frame for frame in self.frames if frame.kind is kind]
        if not frames:
            return
        try:
            with self.path.open("rb", buffering=0) as file:
                for frame in frames:
                    payload = os.pread(file.fileno(), frame.length, frame.start)
                    if len(payload) != frame.length:
                        raise RecordError("was cut while it was read", subject=self._subject)
                    yield payload
        except OSError as error:
            raise RecordError("cannot be read", subject=self._subject, seen=error) from error

    @property
    def _subject(self) -> str:
        return f"record file {self.path}"


class FrameFile:
    """A new record file, open for appending. Not thread-safe.

    Nothing follows a frame that could not be written: its file is never marked as complete.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure: RecordError | None = None
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            raise RecordError(
                "already exists; each writer has a file of its own",
                subject=f"record file {path}",
                next_step="choose another file name",
            ) from None
        self._write(_FILE_HEADER.pack(_MAGIC, SCHEMA_VERSION))

    def append(self, kind: FrameKind, payload: bytes, *, first_ns: int, sealed_ns: int) -> None:
        """Write one frame in a single write. Raises `RecordError` when the disk refuses it, and
        for every later one.
        """
        if self._failure is not None:
            raise self._failure
        header = _FRAME_HEADER.pack(
            _MARKER, kind, len(payload), first_ns, sealed_ns, zlib.crc32(payload)
        )
        self._write(b"".join((header, _CHECKSUM.pack(zlib.crc32(header)), payload)))

    def close(self) -> None:
        """Close the file; the caller has appended END."""
        os.close(self._fd)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._failure = RecordError(
                "could not be written", subject=f"record file {self._path}", seen=error
            )
            raise self._failure from error
        if written != len(data):
            self._failure = RecordError(
                "was written only in part",
                subject=f"record file {self._path}",
                seen=f"{written} of {len(data)} bytes",
                next_step="free disk space",
            )
            raise self._failure


def read_frames(path: Path) -> FileContents:
    """All intact frames of a file, and its holes.

    Raises `RecordError` when the file is missing, is no record file, or has another schema
    version.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _contents_of(path, _Content(file.fileno()))
    except OSError as error:
        raise RecordError("cannot be read", subject=f"record file {path}", seen=error) from error


def _contents_of(path: Path, content: "_Content") -> FileContents:
    contents = FileContents(path)
    if content.size < _FILE_HEADER.size:
        contents.holes.append(
            Hole(torn=True, since_ns=0, until_ns=None, detail="its header is torn")
        )
        return contents
    magic, version = _FILE_HEADER.unpack(content.at(0, _FILE_HEADER.size))
    if magic != _MAGIC:
        raise RecordError("is not a record file", subject=f"file {path}", seen=magic)
    if version != SCHEMA_VERSION:
        raise other_version(f"record file {path}", version)
    _fill(contents, content)
    return contents


def other_version(subject: str, version: object) -> RecordError:
    """The error for a record of another schema version."""
    return RecordError(
        f"has a schema version this chaoskit does not read (it reads {SCHEMA_VERSION})",
        subject=subject,
        seen=f"schema version {version}",
        next_step="read it with the chaoskit version named in its run.json",
    )


class _Content:
    """The bytes of a file as long as it was when it was opened, read piece by piece."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size = os.fstat(fd).st_size

    def at(self, start: int, length: int) -> bytes:
        """So many bytes from there on, fewer at the end."""
        return os.pread(self._fd, max(0, min(length, self.size - start)), start)

    def find(self, wanted: bytes, start: int) -> int | None:
        """Where these few bytes come next, from there on."""
        while piece := self.at(start, _PIECE_BYTES):
            place = piece.find(wanted)
            if place >= 0:
                return start + place
            if len(piece) < len(wanted):
                return None
            start += len(piece) - len(wanted) + 1  # they may begin in this piece
        return None


@dataclass(frozen=True)
class _Lost:
    """A hole before the times around it are known."""

    detail: str
    torn: bool = False
    first_ns: int | None = None
    sealed_ns: int | None = None


def _fill(contents: FileContents, content: _Content) -> None:
    pending: list[tuple[_Lost, int]] = []
    for piece in _pieces(content):
        if isinstance(piece, _Lost):
            pending.append((piece, len(contents.frames)))
        else:
            contents.frames.append(piece)
    frames = contents.frames
    # How far back a frame reaches: a request may have been planned long before it was sealed.
    reach_ns = max((f.sealed_ns - f.first_ns for f in frames), default=0)
    for lost, position in pending:
        before_ns = frames[position - 1].sealed_ns - reach_ns if position else 0
        after_ns = frames[position].sealed_ns if position < len(frames) else None
        contents.holes.append(
            Hole(
                torn=lost.torn,
                since_ns=before_ns if lost.first_ns is None else lost.first_ns,
                until_ns=after_ns if lost.sealed_ns is None else lost.sealed_ns,
                detail=lost.detail,
            )
        )


def _pieces(content: _Content) -> Iterator[Frame | _Lost]:
    at = _FILE_HEADER.size
    while at < content.size:
        header = _header_at(content, at)
        if header is None:
            found = _next_header(content, at + 1)
            if found is None:
                yield _Lost(f"{content.size - at} bytes at its end are torn", torn=True)
                return
            yield _Lost(f"{found - at} bytes at offset {at} are not a frame")
            at = found
            continue
        kind, length, first_ns, sealed_ns, checksum = header
        start = at + _HEADER_BYTES
        payload = content.at(start, length)
        if len(payload) < length:
            yield _Lost("its last frame is torn", torn=True, first_ns=first_ns)
            return
        if zlib.crc32(payload) == checksum:
            yield Frame(FrameKind(kind), first_ns, sealed_ns, start, length)
        else:
            yield _Lost(
                f"the frame at offset {at} has a wrong checksum",
                first_ns=first_ns,
                sealed_ns=sealed_ns,
            )
        at = start + length


def _header_at(content: _Content, at: int) -> tuple[int, int, int, int, int] | None:
    header = content.at(at, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MARKER):
        return None
    (checksum,) = _CHECKSUM.unpack_from(header, _FRAME_HEADER.size)
    if zlib.crc32(header[: _FRAME_HEADER.size]) != checksum:
        return None
    _, kind, length, first_ns, sealed_ns, payload_checksum = _FRAME_HEADER.unpack_from(header)
    return kind, length, first_ns, sealed_ns, payload_checksum


def _next_header(content: _Content, at: int) -> int | None:
    while (found := content.find(_MARKER, at)) is not None:
        if _header_at(content, found) is not None:
            return found
        at = found + 1
    return None
