"""What is written down about requests to a real server that misbehaves in each of its ways."""

from pathlib import Path
from typing import Any

import pytest

from chaoskit.load.driver import Driver
from tests.unit.load.loads import (
    READ,
    WRITE,
    ServerProcess,
    plan,
    rows_of,
    run_slots,
    stream,
)

Row = dict[str, Any]


def _driven(driver: Driver, folder: Path, port: int, **changes: Any) -> list[Row]:
    """Reads and writes over new and kept connections for a moment; the rows they left."""
    operations = (READ, WRITE)
    both = [stream(port, connection, operations=operations) for connection in ("new", "kept")]
    with driver.start(plan(*both, **changes), folder, folder / "load.log") as load:
        run_slots(load, 24)
    rows = rows_of(folder)
    assert {(row["connection"], row["operation"]) for row in rows} == {
        ("new", "read"), ("new", "write"), ("kept", "read"), ("kept", "write"),
    }  # fmt: skip
    return rows


def _judged(rows: list[Row], operation: str) -> set[tuple[Any, ...]]:
    return {
        (row["outcome"], row["status"], row["error"], row["error_phase"])
        for row in rows
        if row["operation"] == operation
    }


BROKEN = [
    # mode, what reads are, what writes are
    ("status 500", ("fail", 500, "status", None), ("unknown", 500, "status", None)),
    ("status 404", ("fail", 404, "status", None), ("fail", 404, "status", None)),
    ("status 301", ("fail", 301, "status", None), ("unknown", 301, "status", None)),
    ("no_effect", ("fail", 503, "status", None), ("fail", 503, "status", None)),
    ("reset", ("fail", None, "reset", "wait"), ("unknown", None, "reset", "wait")),
    ("close", ("fail", None, "closed", "wait"), ("unknown", None, "closed", "wait")),
    ("truncate", ("fail", None, "truncated", "body"), ("unknown", None, "truncated", "body")),
    ("garbage", ("fail", None, "protocol", "wait"), ("unknown", None, "protocol", "wait")),
    ("hang", ("fail", None, "timeout", "wait"), ("unknown", None, "timeout", "wait")),
    ("slow 0.05", ("ok", 200, None, None), ("ok", 200, None, None)),
    ("old", ("ok", 200, None, None), ("ok", 200, None, None)),
    ("continue", ("ok", 200, None, None), ("ok", 200, None, None)),
]


@pytest.mark.parametrize("case", BROKEN, ids=[row[0] for row in BROKEN])
def test_each_answer_is_judged(
    case: tuple[str, tuple[Any, ...], tuple[Any, ...]],
    server: ServerProcess,
    warm_driver: Driver,
    tmp_path: Path,
) -> None:
    mode, read, write = case
    server.mode(*mode.split())
    # Only what never answers needs a short wait; a busy machine may take long for the rest.
    patience_s = 0.5 if mode == "hang" else 20.0
    rows = _driven(warm_driver, tmp_path, server.port, answer_timeout_s=patience_s)
    assert _judged(rows, "read") == {read}
    assert _judged(rows, "write") == {write}


def test_refused_surely_has_no_effect(
    closed_port: int, warm_driver: Driver, tmp_path: Path
) -> None:
    rows = _driven(warm_driver, tmp_path, closed_port)
    refused = ("fail", None, "refused", "connect")
    assert _judged(rows, "read") == _judged(rows, "write") == {refused}
    assert all(row["sent_ns"] is not None and row["connected_ns"] is None for row in rows)


def test_timeout_is_dated_by_its_limit(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("hang")
    for row in _driven(warm_driver, tmp_path, server.port, answer_timeout_s=0.5):
        assert 0.5 <= (row["end_ns"] - row["sent_ns"]) / 1e9 < 1.5


def test_ok_row_has_every_column(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    rows = _driven(warm_driver, tmp_path, server.port)
    assert {row["outcome"] for row in rows} == {"ok"}
    assert [row["slot"] for row in rows] == list(range(len(rows)))
    for row in rows:
        assert row["planned_ns"] <= row["sent_ns"] <= row["end_ns"]
        assert row["pod"] == "kv-1"
        assert row["pod_uid"] == "uid-1"
        assert row["node"] == "n-1"
        assert row["revision"] == "v1"
        assert row["boot"].startswith("b-")
        assert row["local_port"] > 0
    sequences = [row["sequence"] for row in rows]
    assert sorted(sequences) == list(range(1, len(rows) + 1))


def test_acknowledged_writes_are_those_the_server_stored(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    rows = _driven(warm_driver, tmp_path, server.port)
    written = [row["value"] for row in rows if row["operation"] == "write"]
    assert sorted(written) == sorted(server.stored())
    assert len(set(written)) == len(written)
    assert all(row["key"] == f"load-1-{row['slot']}" for row in rows if row["value"])


def test_new_connections_are_new_and_kept_ones_kept(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    rows = _driven(warm_driver, tmp_path, server.port)
    new = [row for row in rows if row["connection"] == "new"]
    kept = [row for row in rows if row["connection"] == "kept"]
    assert len({row["connection_id"] for row in new}) == len(new)
    assert len({row["local_port"] for row in new}) == len(new)
    assert all(row["connected_ns"] is not None for row in new)
    # four are opened and used in turn; more may have been opened behind slow answers
    connections = {row["connection_id"] for row in kept}
    assert 4 <= len(connections) < len(kept)
    assert sum(row["connected_ns"] is not None for row in kept) == len(connections)


def test_connection_closed_while_idle_is_replaced_before_sending(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    server.mode("once")
    # 5 slots a second over 4 connections: each lies idle for 0.8 s, the server closes at 0.02 s,
    # and on a busy machine some tenths of a second later.
    slow = plan(stream(server.port), rate_per_s=5)
    with warm_driver.start(slow, tmp_path, tmp_path / "load.log") as load:
        run_slots(load, 12)
    rows = rows_of(tmp_path)
    assert {row["outcome"] for row in rows} == {"ok"}
    assert len({row["connection_id"] for row in rows}) == len(rows)
