"""Request columns: read from frames, merged, sorted by planned time, checked, only those asked for.

A million requests with all columns take over 100 MB; a guarantee needs a few of them. So a column
is put straight into its place, never held twice, and texts are codes of two bytes where there are
few different ones.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from chaoskit.errors import RecordError
from chaoskit.history.frames import FileContents, FrameKind
from chaoskit.history.requests import OUTCOMES, REQUESTS

Table = pa.Table
Numbers = np.ndarray[Any, np.dtype[Any]]
Missing = np.ndarray[Any, np.dtype[np.bool_]]

#: Yields tables with (at least) the columns of these names.
Source = Callable[[Sequence[str]], Iterable[Table]]

#: More different texts than this need codes of four bytes. There is room left above it, for sums.
_FEW = 30_000


class Texts(NamedTuple):
    """A column of texts, as codes into the different ones; -1 where a request has none."""

    codes: Numbers
    values: list[str]


class RequestColumns:
    """The requests of a record, loaded column by column, in the order of `planned_ns`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._loaded: dict[str, _Column] = {}
        self._rows = 0
        #: The place of each request as it was read; None when they were read in order.
        self._places: Numbers | None = None

    def table(self, names: Sequence[str]) -> Table:
        """These columns, each in one chunk. Raises `RecordError` for an impossible value."""
        self.read(names)
        return Table.from_arrays(
            [self._loaded[name].array() for name in names],
            schema=pa.schema([REQUESTS.field(name) for name in names]),
        )

    def texts(self, name: str) -> Texts:
        """A dictionary column. Raises `RecordError` for an impossible value."""
        self.read([name])
        column = self._loaded[name]
        assert isinstance(column, _Texts), name
        return Texts(column.codes, list(column.code_of))

    def numbers(self, name: str) -> Numbers:
        """A column of integers, -1 where there is none. Raises `RecordError` as `table` does."""
        self.read([name])
        column = self._loaded[name]
        assert isinstance(column, _Numbers), name
        return column.values

    def read(self, names: Sequence[str]) -> None:
        """Load what is missing of these. Raises `RecordError` for an impossible value."""
        if "planned_ns" not in self._loaded:
            self._read_planned()
        missing = [name for name in dict.fromkeys(names) if name not in self._loaded]
        if not missing:
            return
        columns = {name: _empty(name, self._rows) for name in missing}
        at = 0
        for table in self._source(missing):
            beyond = at + table.num_rows
            places = slice(at, beyond) if self._places is None else self._places[at:beyond]
            for name, column in columns.items():
                _put(column, name, places, table)
            at = beyond
        for name, column in columns.items():
            column.close()
            self._loaded[name] = column
            _require_possible(name, self._loaded)

    def _read_planned(self) -> None:
        """The column that all others are put in order by."""
        parts = [np.empty(0, dtype=np.int64)]
        for table in self._source(["planned_ns"]):
            for chunk in table["planned_ns"].chunks:
                if chunk.null_count:
                    raise RecordError("has requests without planned_ns", subject="the record")
                parts.append(_values(chunk).copy())  # what was decoded is given back at once
        planned = np.concatenate(parts)
        self._rows = len(planned)
        if not bool(np.all(planned[1:] >= planned[:-1])):
            order = np.argsort(planned, kind="stable")
            planned = planned[order]
            self._places = np.empty(len(order), dtype=np.int32)
            self._places[order] = np.arange(len(order), dtype=np.int32)
        column = _Numbers("planned_ns", planned)
        column.close()
        self._loaded["planned_ns"] = column


class _Texts:
    """Codes into the different texts, in the order in which these came."""

    def __init__(self, name: str, rows: int) -> None:
        self._type = REQUESTS.field(name).type
        self.codes: Numbers = np.empty(rows, dtype=np.int16)
        self.code_of: dict[str, int] = {}

    def put(self, places: "slice | Numbers", chunk: Any) -> None:
        told = [
            self.code_of.setdefault(text, len(self.code_of))
            for text in chunk.dictionary.to_pylist()
        ]
        if len(self.code_of) > _FEW and self.codes.dtype == np.int16:
            self.codes = self.codes.astype(np.int32)
        indices = _values(chunk.indices)
        if chunk.null_count:
            indices = np.where(_missing(chunk), -1, indices)  # finds the last of those told
        self.codes[places] = np.array([*told, -1], dtype=self.codes.dtype)[indices]

    def close(self) -> None:
        """Nothing more comes: whoever reads it must not change it."""
        self.codes.flags.writeable = False

    def array(self) -> "pa.Array[Any]":
        mask = self.codes < 0
        codes = pa.array(self.codes, pa.int32(), mask=mask if mask.any() else None)
        values = pa.array(list(self.code_of), pa.string())
        return pa.DictionaryArray.from_arrays(codes, values)

    @property
    def has_missing(self) -> bool:
        return bool((self.codes < 0).any())


class _Numbers:
    """Integers, -1 where `missing` says that there is none (None: nowhere)."""

    def __init__(self, name: str, values: Numbers) -> None:
        self._type = REQUESTS.field(name).type
        self.values = values
        self.missing: Missing | None = None

    @classmethod
    def empty(cls, name: str, rows: int) -> "_Numbers":
        kind: Any = REQUESTS.field(name).type
        return cls(name, np.empty(rows, dtype=kind.to_pandas_dtype()))

    def put(self, places: "slice | Numbers", chunk: Any) -> None:
        values = _values(chunk)
        if chunk.null_count:
            missing = _missing(chunk)
            if self.missing is None:
                self.missing = np.zeros(len(self.values), dtype=np.bool_)
            self.missing[places] = missing
            values = np.where(missing, -1, values)
        self.values[places] = values

    def close(self) -> None:
        self.values.flags.writeable = False

    def array(self) -> "pa.Array[Any]":
        """The same numbers, not copied."""
        present = None
        if self.missing is not None:
            present = pa.py_buffer(np.packbits(~self.missing, bitorder="little").tobytes())
        values: Any = self.values
        buffers = [present, pa.py_buffer(values)]
        return pa.Array.from_buffers(self._type, len(self.values), buffers)

    @property
    def has_missing(self) -> bool:
        return self.missing is not None


class _Plain:
    """Texts that are all different, such as keys."""

    def __init__(self, name: str, rows: int) -> None:
        self._type = REQUESTS.field(name).type
        self._texts = np.full(rows, None, dtype=np.object_)

    def put(self, places: "slice | Numbers", chunk: Any) -> None:
        self._texts[places] = chunk.to_pylist()

    def close(self) -> None:
        self._texts.flags.writeable = False

    def array(self) -> "pa.Array[Any]":
        texts: pa.Array[Any] = pa.array(self._texts, self._type)
        return texts

    @property
    def has_missing(self) -> bool:
        return any(text is None for text in self._texts)


_Column = _Texts | _Numbers | _Plain


def _empty(name: str, rows: int) -> _Column:
    kind = REQUESTS.field(name).type
    if pa.types.is_dictionary(kind):
        return _Texts(name, rows)
    if pa.types.is_integer(kind):
        return _Numbers.empty(name, rows)
    return _Plain(name, rows)


def _put(column: _Column, name: str, places: "slice | Numbers", table: Table) -> None:
    """What a table holds of a column, into its places."""
    at = places.start if isinstance(places, slice) else 0
    for chunk in table[name].chunks:
        beyond = at + len(chunk)
        column.put(slice(at, beyond) if isinstance(places, slice) else places[at:beyond], chunk)
        at = beyond


def source_of_files(files: Sequence[FileContents]) -> Source:
    """Reads columns from the frames of record files."""

    def tables(names: Sequence[str]) -> Iterable[Table]:
        places = sorted(REQUESTS.get_field_index(name) for name in names)
        options = pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
        for contents in files:
            for payload in contents.payloads(FrameKind.REQUESTS):
                yield _decoded(payload, options, f"record file {contents.path}")

    return tables


def source_of_table(table: Table, subject: str) -> Source:
    """Reads columns from a table held in memory. Raises `RecordError` for other columns."""
    if not table.schema.equals(REQUESTS):
        raise RecordError(
            "has other columns than a request has", subject=subject, seen=table.schema.names
        )
    return lambda _names: [table]


def _decoded(payload: bytes, options: pa.ipc.IpcReadOptions, subject: str) -> Table:
    try:
        stream = pa.ipc.open_stream(pa.py_buffer(payload), options=options)
        table = stream.read_all()
    except pa.ArrowException as error:
        raise RecordError("holds malformed requests", subject=subject, seen=error) from error
    for field in table.schema:
        if field.name not in REQUESTS.names or REQUESTS.field(field.name) != field:
            raise RecordError("has other columns than a request has", subject=subject, seen=field)
    return table


# Arrow's own functions for these need pyarrow.compute: 7 MB, and a tenth of a second to import.
def _values(chunk: Any) -> Numbers:
    """The integers of a chunk, not copied; anything where there is none."""
    kind = np.dtype(chunk.type.to_pandas_dtype())
    if not len(chunk):
        return np.empty(0, dtype=kind)
    offset = chunk.offset * kind.itemsize
    return np.frombuffer(chunk.buffers()[1], kind, count=len(chunk), offset=offset)


def _missing(chunk: Any) -> Missing:
    """Where a chunk that has nulls has them."""
    bits = np.frombuffer(chunk.buffers()[0], np.uint8)
    present = np.unpackbits(bits, bitorder="little", count=chunk.offset + len(chunk))
    missing: Missing = present[chunk.offset :] == 0
    return missing


def _require_possible(name: str, columns: dict[str, _Column]) -> None:
    column = columns[name]
    if not REQUESTS.field(name).nullable and column.has_missing:
        raise RecordError(f"has requests without {name}", subject="the record")
    if isinstance(column, _Texts) and name == "outcome":
        seen = np.unique(column.codes)
        strange = sorted(
            text
            for text, code in column.code_of.items()
            if text not in OUTCOMES and np.isin(code, seen)
        )
        if strange:
            raise RecordError("has impossible outcomes", subject="the record", seen=strange)
    sent, end = columns.get("sent_ns"), columns.get("end_ns")
    if name in ("sent_ns", "end_ns") and isinstance(sent, _Numbers) and isinstance(end, _Numbers):
        wrong = end.values < sent.values
        if end.missing is not None:
            wrong &= ~end.missing
        if wrong.any():  # a missing sent_ns is -1, which no end lies before
            raise RecordError("has requests that ended before they were sent", subject="the record")
