"""A stored run with one scenario of every outcome."""

from pathlib import Path

import pytest

from chaoskit.history.session import write_session
from tests.unit.report.scenes import (
    session_of,
    write_run,
)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "20260101-120000-3f2a")
    write_session(session_of(), folder)
    return folder
