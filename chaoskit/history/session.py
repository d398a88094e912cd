"""A session: one pytest run, its folder `<report-dir>/<run id>/` and what became of each scenario.

The plugin writes `session.json` again after every scenario, so that a killed session still
says what it had done. Reports read it, and work from the record folders alone without it.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from chaoskit.errors import RecordError

SESSION_SCHEMA = 1
SESSION_FILE = "session.json"

#: NOT_RUN: the cluster lacks a capability that the scenario needs; `reason` says which.
ScenarioOutcome = Literal["HELD", "VIOLATED", "UNKNOWN", "NOT_RUN"]

_NOT_IN_SLUG = re.compile(r"[^a-zA-Z0-9_]+")
_READABLE_LENGTH = 80


class SessionScenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario of a session.

    `slug` names its record folder below the session's; a scenario that was not run, or ended
    before its record began, has none there. `outcome` is that of the whole test: worse than its
    verdicts when the test itself failed, and then `reason` says why. `rows` are the catalogue's
    ids ("R8").
    """

    slug: str
    nodeid: str
    outcome: ScenarioOutcome
    rows: list[str] = []
    reason: str = ""
    wall_s: float = 0.0
    title: str = ""
    doc: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What `session.json` holds.

    `started_wall_ns` is wall time since the epoch. `command` repeats the session; `options` are
    chaoskit's own options as given; `finished` stays false in the file of a killed session.
    """

    run_id: str
    seed: int
    started_wall_ns: int
    wall_s: float = 0.0
    finished: bool = False
    command: str = ""
    options: dict[str, str] = {}
    facts: dict[str, str] = {}
    scenarios: list[SessionScenario] = []
    schema: int = SESSION_SCHEMA


def slug_of(nodeid: str) -> str:
    """A folder name for a test's node id: readable, and by its digest one for each node id."""
    words = nodeid.rpartition("/")[2].replace(".py::", "-")
    readable = _NOT_IN_SLUG.sub("-", words)[:_READABLE_LENGTH].strip("-")
    digest = hashlib.blake2s(nodeid.encode(), digest_size=3).hexdigest()
    return f"{readable}-{digest}"


def write_session(session: Session, run_folder: Path) -> Path:
    """Write `session.json` as a whole or not at all. Raises `RecordError` when it cannot."""
    path = run_folder / SESSION_FILE
    fresh = path.with_suffix(".json.new")
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(session), indent=1))
        os.replace(fresh, path)
    except OSError as error:
        raise RecordError(
            "cannot be written", subject=str(path), seen=error, next_step="free disk space"
        ) from error
    return path


def read_session(run_folder: Path) -> Session | None:
    """The session of this run folder, None if it has no `session.json`.

    Raises `RecordError` for a file that is damaged or of another schema.
    """
    path = run_folder / SESSION_FILE
    if not path.exists():
        return None
    try:
        session = msgspec.json.decode(path.read_bytes(), type=Session)
    except (msgspec.DecodeError, OSError) as error:
        raise RecordError(
            "cannot be read as a session",
            subject=str(path),
            seen=error,
            next_step="the record folders beside it can still be read one by one",
        ) from error
    if session.schema != SESSION_SCHEMA:
        raise RecordError(
            f"has schema {session.schema}, this chaoskit reads {SESSION_SCHEMA}",
            subject=str(path),
            next_step="read it with the chaoskit version that wrote it",
        )
    return session
