"""What judging takes in memory: a record of a million requests must not need a big machine."""

import tracemalloc

import pyarrow as pa

from chaoskit.guarantees import (
    availability,
    degradation,
    latency,
    load_was_enough,
    no_request_lost,
    only_versions,
    outage,
)
from chaoskit.guarantees.judge import judge
from chaoskit.history.reader import History
from tests.unit.report.many_requests import request_batch

REQUESTS = 500_000

#: Three columns of eight bytes and six of two; the rest is what the work on the way takes.
BYTES_PER_REQUEST = 80


def test_seven_guarantees_hold_little_more_than_the_columns_they_need() -> None:
    table = pa.Table.from_batches([request_batch(REQUESTS)])
    claims = (
        availability(0.99),
        no_request_lost(),
        outage(at_most_s=5),
        degradation(below=0.5, at_most_s=5),
        latency(1.0),
        only_versions(["6f5d", "8b7e"]),
        load_was_enough(),
    )
    judge(History.of_parts(requests=table.slice(0, 100)), claims)  # imports what few need
    history = History.of_parts(requests=table)
    arrow_bytes = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        verdicts = judge(history, claims)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(verdict.coverage for verdict in verdicts)  # none was over before it began
    peak_bytes += max(0, pa.total_allocated_bytes() - arrow_bytes)
    assert peak_bytes / REQUESTS <= BYTES_PER_REQUEST
