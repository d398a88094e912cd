"""A requests file as large as a long run leaves it, made in a second."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from chaoskit.history.frames import FrameFile, FrameKind
from chaoskit.history.requests import REQUESTS
from tests.unit.report.synthetic import (
    START_NS,
    at,
)


def request_batch(count: int, seconds: int = 600) -> pa.RecordBatch:
    """Requests of ten streams over ten minutes, some failing in every fifth second."""
    number = np.arange(count)
    planned = START_NS + number * (seconds * 1_000_000_000 // count)
    bad = ((planned - START_NS) // 1_000_000_000 % 5 == 0) & (number % 7 == 0)
    random = np.random.default_rng(9)

    def words(codes: Any, of: list[str], mask: Any = None) -> Any:
        indices = pa.array(codes.astype(np.int32), mask=mask)
        return pa.DictionaryArray.from_arrays(indices, pa.array(of))

    end = pa.array(planned + random.integers(500_000, 50_000_000, count))
    known: dict[str, Any] = {
        "stream": words(number % 10, [f"new via agent-{n}" for n in range(10)]),
        "outcome": words(bad, ["ok", "fail"]),
        "error": words(number * 0, ["refused"], ~bad),
        "revision": words(planned > START_NS + 3e11, ["6f5d", "8b7e"], bad),
        "slot": pa.array(number),
        "planned_ns": pa.array(planned),
        "sent_ns": pa.array(planned),
        "end_ns": end,
    }
    for name in ("load", "connection", "entry", "operation"):
        known[name] = words(number * 0, ["x"])
    columns = [known.get(column.name, pa.nulls(count, column.type)) for column in REQUESTS]
    return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)


def write_request_batch(path: Path, batch: pa.RecordBatch) -> None:
    """A requests file of as many frames as a driver would have sealed."""
    file = FrameFile(path)
    for offset in range(0, batch.num_rows, 16_384):
        part = batch.slice(offset, 16_384)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, part.schema) as stream:
            stream.write_batch(part)
        payload = sink.getvalue().to_pybytes()
        file.append(FrameKind.REQUESTS, payload, first_ns=START_NS, sealed_ns=at(600))
    file.append(FrameKind.END, b"", first_ns=at(600), sealed_ns=at(600))
    file.close()
