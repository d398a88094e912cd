"""The folder of open faults, shared by every session that uses one state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chaoskit import clock
from chaoskit.cluster.launch.state import state_folder
from chaoskit.errors import ChaoskitError, FaultError
from chaoskit.faults.ledger.entry import Entry, decoded, encoded

_SUFFIX = ".json"
#: Begins the name of a file that is being written; it is renamed once it is whole.
_UNFINISHED = ".new-"


def ledger_folder() -> Path:
    """Where the entries lie."""
    return state_folder() / "ledger"


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A file of the ledger that is no entry: torn, foreign, or of another version."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path}: not an entry of the ledger: {self.reason}\n"
            "  next: look what it names, heal that by hand, then remove the file"
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the ledger holds: the entries, last injected first, and what could not be read."""

    entries: tuple[Entry, ...]
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True)
class Ledger:
    """Entries as files, one each. A file is whole or not there; writers exclude each other."""

    folder: Path = field(default_factory=ledger_folder)

    def open(self, entry: Entry) -> None:
        """Put the entry on disk; it is there for good when this returns.

        Raises `FaultError` when the same fault on the same target is open, whoever injected it,
        and when the disk refuses.
        """
        data = encoded(entry)
        with self._writing(), self._locked():
            for other in self.read().entries:
                if _same(entry, other):
                    raise _already(other)
            beside = self.folder / f"{_UNFINISHED}{entry.id}"
            with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            beside.replace(self._path(entry.id))
            _sync(self.folder)

    def close(self, entry_id: str) -> bool:
        """Remove the entry; False if somebody else was faster. Raises `FaultError`."""
        with self._writing():
            try:
                self._path(entry_id).unlink()
            except FileNotFoundError:
                return False
            _sync(self.folder)
        return True

    def read(self) -> Reading:
        """All entries, last injected first. What is none is told with its reason, never raised."""
        entries: list[Entry] = []
        unreadable: list[Unreadable] = []
        for path in self._files():
            try:
                entry = decoded(path.read_bytes())
                if path.name != f"{entry.id}{_SUFFIX}":
                    raise ValueError(f"it holds the entry {entry.id}")
                entries.append(entry)
            except FileNotFoundError:
                continue  # closed meanwhile
            except (OSError, ValueError, msgspec.MsgspecError) as error:
                unreadable.append(Unreadable(path=path, reason=str(error) or repr(error)))
        entries.sort(key=_order, reverse=True)
        return Reading(entries=tuple(entries), unreadable=tuple(unreadable))

    def _files(self) -> list[Path]:
        try:
            paths = sorted(self.folder.iterdir())
        except FileNotFoundError:
            return []
        # The start of a name that is not renamed yet is not injected yet either; a killed
        # writer's stays, and harms nobody.
        return [p for p in paths if p.name != ".lock" and not p.name.startswith(_UNFINISHED)]

    def _path(self, entry_id: str) -> Path:
        return self.folder / f"{entry_id}{_SUFFIX}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two that inject the same at one moment must not both find that nothing is open."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(self.folder.parent)
        handle = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FaultError(
                "the ledger of open faults cannot be written",
                subject=str(self.folder),
                seen=error,
                next_step="make room there, or name another folder with CHAOSKIT_STATE",
            ) from error


def _sync(folder: Path) -> None:
    """What was created, renamed or removed in that folder is so for good."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _order(entry: Entry) -> tuple[int, int, str]:
    """By time: this boot's own clock where it applies, after all that is of other boots."""
    ours = entry.boot_id == clock.boot_id()
    return int(ours), entry.requested_ns if ours else entry.requested_wall_ns, entry.id


def _same(one: Entry, other: Entry) -> bool:
    return (one.fault, one.target, one.cluster, one.engine) == (
        other.fault,
        other.target,
        other.cluster,
        other.engine,
    )


def _already(other: Entry) -> ChaoskitError:
    owner = other.owner.partition(":")[0]
    return FaultError(
        "is open already, and cannot be injected twice",
        subject=str(other),
        seen=f"entry {other.id} of process {owner}, which is {other.life}",
        next_step="wait until it is healed"
        if other.life == "alive"
        else "chaoskit heal (with --all if its owner is out of sight)",
    )
