"""A record folder: one run on disk.

`run.json` says what ran; `guarantees.json` names the guarantees asked for, with their parameters;
`verdicts.json` is readable without loading anything else; `events-*.ckl` and `requests-*.ckl` are
the record itself, one file per writing process.
"""

import os
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chaoskit.errors import RecordError, UsageError
from chaoskit.history import SCHEMA_VERSION
from chaoskit.history.frames import other_version

T = TypeVar("T")

_WRITER_NAME = re.compile(r"[A-Za-z0-9._-]+")


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What ran, where, and how to repeat it.

    `scenario` is the test's node id; `rows` the catalogue rows it shows; `cluster` the provider's
    facts (image, version, …). `started_wall_ns` and `started_ns` were read together; monotonic
    times of two records compare only when `boot_id` is equal.
    """

    run_id: str
    scenario: str
    title: str
    description: str = ""
    rows: list[str] = []
    seed: int = 0
    started_wall_ns: int
    started_ns: int
    boot_id: str
    chaoskit_version: str
    cluster: dict[str, str] = {}
    namespace: str = ""
    profile: str = ""
    command: str = ""
    schema_version: int = SCHEMA_VERSION


class GuaranteeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A guarantee as the record keeps it: enough to judge the record again."""

    name: str
    version: int
    parameters: dict[str, Any] = {}


class RecordFolder:
    """The files of one record. `create` makes a new one; an existing one is opened by its path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, info: RunInfo) -> "RecordFolder":
        """Make the folder and its `run.json`. Raises `RecordError` when there is a record."""
        folder = cls(path)
        path.mkdir(parents=True, exist_ok=True)
        if (path / "run.json").exists():
            raise RecordError(
                "already holds a record",
                subject=f"folder {path}",
                next_step="choose an empty folder; records are never overwritten",
            )
        folder._write("run.json", info)
        return folder

    def new_events_file(self, writer: str) -> Path:
        """Where the process called `writer` writes its events; unused so far."""
        return self._unused("events", writer)

    def new_requests_file(self, writer: str) -> Path:
        """Where the process called `writer` writes its requests; unused so far."""
        return self._unused("requests", writer)

    def events_files(self) -> list[Path]:
        """All event files, by name."""
        return sorted(self.path.glob("events-*.ckl"))

    def requests_files(self) -> list[Path]:
        """All request files, by name."""
        return sorted(self.path.glob("requests-*.ckl"))

    def info(self) -> RunInfo:
        """What ran. Raises `RecordError` when missing, malformed or of another version."""
        return self._read("run.json", RunInfo)

    def update_info(self, info: RunInfo) -> None:
        """Replace `run.json` (facts that were not known when the run began)."""
        self._write("run.json", info)

    def guarantees(self) -> list[GuaranteeSpec]:
        """The guarantees asked for. Raises `RecordError` when missing or malformed."""
        return self._read("guarantees.json", list[GuaranteeSpec])

    def write_guarantees(self, specs: list[GuaranteeSpec]) -> None:
        """Store the guarantees asked for."""
        self._write("guarantees.json", specs)

    def has_verdicts(self) -> bool:
        """Whether this record has been judged."""
        return (self.path / "verdicts.json").exists()

    def verdicts(self, kind: type[T]) -> T:
        """The stored judgement, read as `kind` (guarantees.judge.Judgement).

        Raises `RecordError` when missing, malformed or of another version.
        """
        return self._read("verdicts.json", kind)

    def write_verdicts(self, judgement: msgspec.Struct) -> None:
        """Store a judgement; a reader sees the old one or the new one, never a part."""
        self._write("verdicts.json", judgement)

    def _unused(self, holds: str, writer: str) -> Path:
        if not _WRITER_NAME.fullmatch(writer):
            raise UsageError(
                "is no name for a writer (letters, digits, '.', '_', '-')", subject=repr(writer)
            )
        path = self.path / f"{holds}-{writer}.ckl"
        number = 2
        while path.exists():
            path = self.path / f"{holds}-{writer}-{number}.ckl"
            number += 1
        return path

    def _read(self, name: str, kind: type[T]) -> T:
        path = self.path / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise RecordError(
                "is missing", subject=str(path), next_step="name the folder of a chaoskit run"
            ) from None
        try:
            version = msgspec.json.decode(data)
            if isinstance(version, dict) and version.get("schema_version") != SCHEMA_VERSION:
                raise other_version(str(path), version.get("schema_version"))
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordError("is malformed", subject=str(path), seen=error) from error

    def _write(self, name: str, value: object) -> None:
        path = self.path / name
        part = path.with_name(f".{name}.{os.getpid()}")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
        part.replace(path)
