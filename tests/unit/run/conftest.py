"""What tests of a session share that has no engine."""

from pathlib import Path

import pytest

from chaoskit.options import checked
from chaoskit.run.book import SessionBook


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionBook:
    """The book of a session on a machine where no container engine answers."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path / "state"))
    options = checked(
        image="auto", nodes="1+1", profile="fast", keep_cluster=False,
        report_dir=str(tmp_path / "reports"), seed="1", strict=False,
    )  # fmt: skip
    return SessionBook(options, "test")
