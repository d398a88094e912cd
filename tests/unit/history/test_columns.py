"""Columns of requests: in order whatever their writers' order, with what is missing, and lean."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.history.frames import FrameKind, read_frames
from chaoskit.history.reader import History
from chaoskit.history.requests import REQUESTS, RequestRow, table_of
from chaoskit.history.writer import RequestWriter
from tests.corpus.examples import examples
from tests.corpus.requests import steady
from tests.unit.history.test_record_files import new_record


def test_texts_are_codes_and_none_is_minus_one() -> None:
    rows = steady(seconds=0.03)
    rows[1] = rows[1]._replace(pod=None)
    codes, values = History.of_parts(requests=rows).texts("pod")
    assert (codes.tolist(), values) == ([0, -1, 0], ["web-1"])
    assert codes.dtype == np.int16


def test_numbers_that_are_missing_are_minus_one_and_null_in_a_table() -> None:
    rows = steady(seconds=0.03)
    rows[1] = rows[1]._replace(sent_ns=None, end_ns=None, status=None)
    history = History.of_parts(requests=rows)
    assert history.numbers("status").tolist() == [200, -1, 200]
    assert history.columns("status")["status"].to_pylist() == [200, None, 200]
    assert history.columns("sent_ns")["sent_ns"].null_count == 1


def test_more_texts_than_two_bytes_hold_keep_their_own(tmp_path: Path) -> None:
    rows = [row._replace(pod=f"web-{row.slot}") for row in steady(seconds=400)]
    with RequestWriter(new_record(tmp_path).new_requests_file("a")) as writer:
        for row in rows:
            writer.append(row)
    codes, values = History.open(tmp_path).texts("pod")
    assert [values[code] for code in codes] == [row.pod for row in rows]


def test_what_is_read_cannot_be_written_to() -> None:
    history = History.of_parts(requests=steady(seconds=1))
    for column in (history.numbers("planned_ns"), history.numbers("slot")):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        history.texts("stream")[0][0] = 1


def test_what_a_history_gives_is_worked_out_once() -> None:
    asked = []

    def count(history: History) -> int:
        asked.append(history)
        return len(history.numbers("slot"))

    history = History.of_parts(requests=steady(seconds=1))
    assert (history.once(count), history.once(count)) == (100, 100)
    assert asked == [history]


def test_a_file_that_was_cut_after_it_was_opened_is_an_error(tmp_path: Path) -> None:
    record = new_record(tmp_path)
    path = record.new_requests_file("a")
    with RequestWriter(path) as writer:
        for row in steady(seconds=1):
            writer.append(row)
    contents = read_frames(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RecordError, match="was cut while it was read"):
        list(contents.payloads(FrameKind.REQUESTS))


def test_a_marker_across_two_pieces_of_a_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_record(tmp_path).new_requests_file("a")
    with RequestWriter(path) as writer:
        for row in steady(seconds=1):
            writer.append(row)
            writer.seal()
    whole = read_frames(path)
    data = bytearray(path.read_bytes())
    data[whole.frames[3].start - 10] ^= 0xFF  # the header of the fourth
    path.write_bytes(data)
    for size in (5, 7, 64):
        monkeypatch.setattr("chaoskit.history.frames._PIECE_BYTES", size)
        found = read_frames(path)
        assert found.frames == whole.frames[:3] + whole.frames[4:]
        assert len(found.holes) == 1


moments = st.integers(0, 50)


@examples(60)
@given(
    parts=st.lists(
        st.lists(
            st.tuples(
                moments,
                st.none() | st.integers(0, 9),
                st.none() | st.sampled_from("abc"),
                st.none() | st.text(max_size=3),
            )
        ),
        max_size=4,
    ),
    offset=st.integers(0, 2),
)
def test_a_table_of_several_chunks_is_read_as_arrow_would_sort_it(
    parts: list[list[tuple[int, int | None, str | None, str | None]]], offset: int
) -> None:
    template = steady(seconds=0.01)[0]

    def row(planned: int, took: int | None, pod: str | None, key: str | None) -> RequestRow:
        end_ns = None if took is None else planned + took
        sent_ns = None if took is None else planned
        return template._replace(
            planned_ns=planned, sent_ns=sent_ns, end_ns=end_ns, pod=pod, key=key, status=took
        )

    # Slices: a chunk need not begin where its memory does.
    tables = [table_of([row(*each) for each in part]).slice(offset) for part in parts]
    table = pa.concat_tables([REQUESTS.empty_table(), *tables])
    rows: list[dict[str, Any]] = sorted(table.to_pylist(), key=lambda each: each["planned_ns"])
    history = History.of_parts(requests=table)
    assert history.requests.to_pylist() == rows
    assert history.numbers("end_ns").tolist() == [
        -1 if each["end_ns"] is None else each["end_ns"] for each in rows
    ]
