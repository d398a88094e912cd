"""session.json: written whole, read strictly; record folders named one for each test."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.history.session import SESSION_FILE, read_session, slug_of, write_session
from tests.unit.report.scenes import (
    session_of,
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    session = session_of()
    write_session(session, tmp_path)
    assert read_session(tmp_path) == session
    assert [path.name for path in tmp_path.iterdir()] == [SESSION_FILE]


def test_no_session_is_none(tmp_path: Path) -> None:
    assert read_session(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b'{"run_id": "x"', b"[]", b"\xff\xfe"])
def test_a_damaged_session_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SESSION_FILE).write_bytes(content)
    with pytest.raises(RecordError, match="cannot be read as a session"):
        read_session(tmp_path)


def test_another_schema_is_an_error(tmp_path: Path) -> None:
    write_session(session_of(schema=99), tmp_path)
    with pytest.raises(RecordError, match="schema 99"):
        read_session(tmp_path)


@given(st.text(min_size=1))
def test_a_slug_is_one_plain_folder_name(nodeid: str) -> None:
    slug = slug_of(nodeid)
    assert slug
    assert len(slug) <= 100
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in slug)


def test_node_ids_that_read_alike_have_different_slugs() -> None:
    nodeids = ["a/test_x.py::test_y[1-2]", "a/test_x.py::test_y[1.2]", "b/test_x.py::test_y[1-2]"]
    assert len({slug_of(nodeid) for nodeid in nodeids}) == len(nodeids)
    assert slug_of(nodeids[0]).startswith("test_x-test_y-1-2-")
