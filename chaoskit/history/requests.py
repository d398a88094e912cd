"""The columns of a request. Times are CLOCK_MONOTONIC nanoseconds; null means "did not happen"."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

_TEXT = pa.dictionary(pa.int32(), pa.string())

#: outcome: `ok`; `fail` (surely no effect); `unknown` (may have had an effect: a write that timed
#: out, an answer cut off); `unsent` (the driver could not send the planned slot).
OUTCOMES = ("ok", "fail", "unknown", "unsent")


class Column(NamedTuple):
    """One column: its Arrow type, what it means, and whether every request has it."""

    name: str
    type: "pa.DataType"
    meaning: str
    required: bool = False


COLUMNS = (
    Column("load", _TEXT, "id of the load, as in LoadMark", required=True),
    Column("stream", _TEXT, 'one way of sending: "new via NODE", "writes to POD"', required=True),
    Column("connection", _TEXT, '"new" for each request, or "kept"', required=True),
    Column("entry", _TEXT, "name of the node or member it was sent through", required=True),
    Column("slot", pa.int64(), "number in the load's schedule", required=True),
    Column("operation", _TEXT, '"read" or "write"', required=True),
    Column("planned_ns", pa.int64(), "when the schedule wanted it sent", required=True),
    Column("sent_ns", pa.int64(), "when the driver took it in hand: before it connects"),
    Column("connected_ns", pa.int64(), "when its own connection stood; null on a kept one"),
    Column("end_ns", pa.int64(), "when the answer was complete, or what ended it happened"),
    Column("outcome", _TEXT, "ok, fail, unknown or unsent", required=True),
    Column("status", pa.int16(), "HTTP status"),
    Column("error", _TEXT, "class: refused, reset, timeout, no_route, status, truncated, …"),
    Column("error_phase", _TEXT, "how far it had come: connect, send, wait, body"),
    Column("local_port", pa.int32(), "source port"),
    Column("connection_id", pa.int64(), "number of the connection in its load"),
    Column("pod", _TEXT, "the answering pod, as it says itself (header X-Chaoskit-Pod)"),
    Column("pod_uid", _TEXT, "its UID"),
    Column("node", _TEXT, "the node it says it runs on"),
    Column("revision", _TEXT, "the version it says it is"),
    Column("boot", _TEXT, "the specimen process's own start id"),
    Column("sequence", pa.int64(), "that process's counter of answers"),
    Column("user", _TEXT, "who sent it in a closed loop; null in an open one"),
    Column("key", pa.string(), "key-value operations: the key"),
    Column("value", pa.string(), "writes: the unique value"),
)

REQUESTS = pa.schema(
    [pa.field(each.name, each.type, nullable=not each.required) for each in COLUMNS]
)

#: Streams whose name begins so go to a target that no fault touches: they check the driver and
#: say nothing about the service.
CONTROL_STREAM = "control"

#: Streams whose name begins so are the sampler's: a second witness beside the load, steady and
#: slow. They date outages and check the driver; they are no part of what users sent.
SAMPLER_STREAM = "sampler"


class RequestRow(NamedTuple):
    """One request, in the order of the columns of `REQUESTS`."""

    load: str
    stream: str
    connection: str
    entry: str
    slot: int
    operation: str
    planned_ns: int
    sent_ns: int | None
    connected_ns: int | None
    end_ns: int | None
    outcome: str
    status: int | None = None
    error: str | None = None
    error_phase: str | None = None
    local_port: int | None = None
    connection_id: int | None = None
    pod: str | None = None
    pod_uid: str | None = None
    node: str | None = None
    revision: str | None = None
    boot: str | None = None
    sequence: int | None = None
    user: str | None = None
    key: str | None = None
    value: str | None = None


def batch_of(rows: Sequence[RequestRow]) -> pa.RecordBatch:
    """Rows as one batch of the schema `REQUESTS`."""
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(REQUESTS)
    arrays = [_array(column, field) for column, field in zip(columns, REQUESTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=REQUESTS)


def table_of(rows: Sequence[RequestRow]) -> pa.Table:
    """Rows as a table of the schema `REQUESTS`."""
    return pa.Table.from_batches([batch_of(rows)], schema=REQUESTS)


def _array(column: Sequence[object], field: "pa.Field[Any]") -> "pa.Array[Any]":
    array: pa.Array[Any] = pa.array(column, pa.string() if field.type == _TEXT else field.type)
    return array.dictionary_encode() if field.type == _TEXT else array
