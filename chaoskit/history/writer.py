"""Writing the record: one file per writing process, sealed at least once a second.

Nothing is forced to the disk: a record must survive the death of a process, not of the machine,
and a sync each second would compete with etcd.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pyarrow as pa

from chaoskit import clock
from chaoskit.errors import RecordError
from chaoskit.history.events import AnyEvent
from chaoskit.history.frames import FrameFile, FrameKind
from chaoskit.history.requests import RequestRow, batch_of

SEAL_INTERVAL_S = 0.5
_SEAL_BYTES = 1 << 20
_SEAL_ROWS = 16_384
_IPC_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


class EventWriter:
    """Appends events to a new file; safe to use from any thread.

    A daemon thread seals what was appended, so that also the last events of an idle process are
    on file within a second. If it fails, the next `append`, `seal` or `close` raises its
    `RecordError`.
    """

    def __init__(self, path: Path, *, seal_interval_s: float = SEAL_INTERVAL_S) -> None:
        self._file = FrameFile(path)
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._first_ns = 0
        self._failure: RecordError | None = None
        self._closing = threading.Event()
        self._sealer = threading.Thread(
            target=self._seal_regularly,
            args=(seal_interval_s,),
            name=f"seal {path.name}",
            daemon=True,
        )
        self._sealer.start()

    def append(self, event: AnyEvent) -> None:
        """Add one event; it is on file within a second."""
        line = self._encoder.encode(event)
        with self._lock:
            self._require_usable()
            if not self._lines or event.time_ns < self._first_ns:
                self._first_ns = event.time_ns
            self._lines.append(line)
            self._bytes += len(line)
            if self._bytes >= _SEAL_BYTES:
                self._seal()

    def seal(self) -> None:
        """Put everything appended so far on file now."""
        with self._lock:
            self._require_usable()
            self._seal()

    def close(self) -> None:
        """Seal the rest and mark the file as complete. A second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._sealer.join()
        with self._lock:
            try:
                if self._failure is not None:
                    raise self._failure
                self._seal()
                now_ns = clock.now_ns()
                self._file.append(FrameKind.END, b"", first_ns=now_ns, sealed_ns=now_ns)
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _seal_regularly(self, interval_s: float) -> None:
        while not self._closing.wait(interval_s):
            with self._lock:
                try:
                    self._seal()
                except RecordError as error:
                    self._failure = error
                    return

    def _require_usable(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing.is_set():
            raise RecordError("is closed", subject=f"record file {self._path}")

    def _seal(self) -> None:
        now_ns = clock.now_ns()
        if not self._lines:
            self._file.append(FrameKind.ALIVE, b"", first_ns=now_ns, sealed_ns=now_ns)
            return
        payload = pack_lines(self._lines)
        first_ns = self._first_ns
        self._lines = []
        self._bytes = 0
        self._file.append(FrameKind.EVENTS, payload, first_ns=first_ns, sealed_ns=now_ns)


class RequestWriter:
    """Appends requests to a new file, without a thread of its own.

    `append` costs some microseconds and seals when half a second has passed; a driver that may
    fall idle calls `seal_if_due` at least twice a second. Not thread-safe: one greenlet-based or
    asyncio process, one writer.
    """

    def __init__(self, path: Path, *, seal_interval_s: float = SEAL_INTERVAL_S) -> None:
        self._file = FrameFile(path)
        self._rows: list[RequestRow] = []
        self._interval_ns = int(seal_interval_s * 1e9)
        self._due_ns = clock.now_ns() + self._interval_ns
        self._closed = False

    def append(self, row: RequestRow) -> None:
        """Add one request that has ended (or will never be sent)."""
        self._rows.append(row)
        if clock.now_ns() >= self._due_ns or len(self._rows) >= _SEAL_ROWS:
            self.seal()

    def seal_if_due(self) -> None:
        """Seal when the interval has passed since the last time."""
        if clock.now_ns() >= self._due_ns:
            self.seal()

    def seal(self) -> None:
        """Put everything appended so far on file now."""
        now_ns = clock.now_ns()
        self._due_ns = now_ns + self._interval_ns
        if not self._rows:
            self._file.append(FrameKind.ALIVE, b"", first_ns=now_ns, sealed_ns=now_ns)
            return
        rows, self._rows = self._rows, []
        batch = batch_of(rows)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=_IPC_OPTIONS) as stream:
            stream.write_batch(batch)
        self._file.append(
            FrameKind.REQUESTS,
            sink.getvalue().to_pybytes(),
            first_ns=min(row.planned_ns for row in rows),
            sealed_ns=now_ns,
        )

    def close(self) -> None:
        """Seal the rest and mark the file as complete. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self.seal()
            now_ns = clock.now_ns()
            self._file.append(FrameKind.END, b"", first_ns=now_ns, sealed_ns=now_ns)
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def pack_lines(lines: list[bytes]) -> bytes:
    """JSON lines, compressed, behind their length (little-endian, 4 bytes)."""
    raw = b"\n".join(lines)
    packed: bytes = pa.compress(raw, codec="zstd", asbytes=True)
    return len(raw).to_bytes(4, "little") + packed


def unpack_lines(payload: memoryview) -> list[bytes]:
    """The lines that `pack_lines` packed."""
    size = int.from_bytes(payload[:4], "little")
    raw: bytes = pa.decompress(
        pa.py_buffer(payload[4:]), decompressed_size=size, codec="zstd", asbytes=True
    )
    return raw.split(b"\n")
