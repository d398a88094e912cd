"""Stopping the engine that we started, and no other process, whatever the entry says."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from chaoskit import clock
from chaoskit.cluster import engine_process
from chaoskit.errors import EngineError


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAOSKIT_STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as started:
        yield started
        started.kill()


def entry_of(process: subprocess.Popen[bytes]) -> engine_process.StartedEngine:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return engine_process.StartedEngine(
        pid=process.pid, started_ticks=int(fields[19]), boot_id=clock.boot_id(), log="dockerd.log"
    )


def write(state: Path, entry: engine_process.StartedEngine) -> None:
    (state / "engine.json").write_text(json.dumps(asdict(entry)))


def test_the_process_of_the_entry_is_ended(state: Path, process: subprocess.Popen[bytes]) -> None:
    write(state, entry_of(process))
    said: list[str] = []

    engine_process.stop(said.append)

    assert process.wait(timeout=5) == -15
    assert not (state / "engine.json").exists()
    assert f"dockerd {process.pid} was told to end" in said


@pytest.mark.parametrize("field", ["started_ticks", "boot_id"])
def test_a_process_that_got_the_number_later_is_left_alone(
    state: Path, process: subprocess.Popen[bytes], field: str
) -> None:
    true = entry_of(process)
    other = (
        replace(true, started_ticks=true.started_ticks - 1)
        if field == "started_ticks"
        else replace(true, boot_id="another boot")
    )
    write(state, other)

    with pytest.raises(EngineError, match="no engine that chaoskit started"):
        engine_process.stop(lambda step: None)

    assert process.poll() is None


def test_without_an_entry_nothing_is_stopped(state: Path) -> None:
    with pytest.raises(EngineError) as caught:
        engine_process.stop(lambda step: None)
    assert "engine.json" in str(caught.value.seen)


def test_an_ended_process_is_no_started_engine(
    state: Path, process: subprocess.Popen[bytes]
) -> None:
    write(state, entry_of(process))
    assert engine_process.started_engine() is not None
    process.kill()
    process.wait(timeout=5)
    assert engine_process.started_engine() is None
