"""The database file below the store: opened, brought up to date, and its errors made readable.

A rollback journal rather than a write-ahead log: the store is one file, to be copied or kept on a
network's disk as it is, and writers are few and short.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaoskit import clock
from chaoskit.errors import StoreError, UsageError
from chaoskit.store.migrations import APPLICATION_ID, MIGRATIONS, Migration

#: How long a writer waits for another one, which takes milliseconds.
LOCKED_AT_MOST_S = 10.0

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NOT_OURS = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_PRIMARY = 0xFF  # an extended result code holds the primary one in its lowest byte


class Database:
    """An open store file; no method leaves half a change behind.

    Every method raises `StoreError`, and `UsageError` where it is given what is no text.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float = LOCKED_AT_MOST_S,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self.path = path
        self._migrations = migrations
        self._timeout_s = timeout_s
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():  # SQLite calls a device locked
                raise StoreError("is no file", subject=str(path), next_step=_ANOTHER)
            # isolation_level None: transactions are begun here, by name, and nowhere else.
            self._connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        try:
            self._connection.row_factory = sqlite3.Row
            self._execute("PRAGMA foreign_keys = ON")
            self._bring_up_to_date()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. May be repeated."""
        self._connection.close()

    def read(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._explained():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer shares: kept as a whole, or not at all."""
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    def compact(self) -> None:
        """Give the space of what was removed back to the disk."""
        with self._explained():
            # As a script: it frees a page with each step, and a query would take only one.
            self._connection.executescript("PRAGMA incremental_vacuum")

    def _execute(self, sql: str) -> None:
        with self._explained():
            self._connection.execute(sql)

    def _pragma(self, name: str) -> int:
        return int(self.read(f"PRAGMA {name}")[0][0])

    def _bring_up_to_date(self) -> None:
        # In one transaction: between two looks another process may have made the tables.
        self._execute("BEGIN")
        try:
            version = self._require_ours()
        finally:
            self._execute("ROLLBACK")
        if version == len(self._migrations):
            return
        if version == 0:
            self._execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded before the first table only
        with self.writing() as connection:
            # Another process may have done it while this one waited for its turn.
            version = self._require_ours()
            for migration in self._migrations[version:]:
                for statement in migration:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(self._migrations)}")

    def _require_ours(self) -> int:
        """The version of the file; raises `StoreError` for a newer one, or for another's file."""
        version, owner = self._pragma("user_version"), self._pragma("application_id")
        is_empty = not self.read("SELECT 1 FROM sqlite_master LIMIT 1")
        if owner != APPLICATION_ID and not (is_empty and version == 0 and owner == 0):
            raise StoreError(
                "is a database, but no store of runs",
                subject=str(self.path),
                next_step="name another file with --store (pytest: --chaos-store)",
            )
        if version > len(self._migrations):
            raise StoreError(
                f"has version {version}, this chaoskit reads {len(self._migrations)}",
                subject=str(self.path),
                next_step="use the chaoskit version that wrote it, or newer; nothing was changed",
            )
        return version

    @contextmanager
    def _explained(self) -> Iterator[None]:
        begun_ns = clock.now_ns()
        try:
            yield
        except sqlite3.Error as error:
            raise self._explanation(error, (clock.now_ns() - begun_ns) / 1e9) from error
        except UnicodeEncodeError as error:  # bytes of the command line, as Python keeps them
            raise UsageError("is no text", subject=repr(error.object), next_step="UTF-8") from error
        except OSError as error:
            raise StoreError(
                "cannot be made", subject=str(self.path), seen=error, next_step=_ANOTHER
            ) from error

    def _explanation(self, error: sqlite3.Error, spent_s: float) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        subject, seen = str(self.path), f"{error} ({getattr(error, 'sqlite_errorname', 'SQLite')})"
        if code in _LOCKED:
            return StoreError(
                "is locked by another process",
                subject=subject,
                seen=seen,
                spent_s=spent_s,
                next_step="repeat when that process has ended; what is kept already stays",
            )
        if code == sqlite3.SQLITE_FULL or self._disk_is_full():
            return StoreError(
                "there is no space left on its disk; what was kept before is whole",
                subject=subject,
                seen=seen,
                next_step="free space on it, then repeat; chaoskit runs prune keeps a store small",
            )
        if code in _NOT_OURS:
            return StoreError(
                "is damaged, or no database",
                subject=subject,
                seen=seen,
                next_step="move it away; chaoskit runs add FOLDER keeps stored runs anew",
            )
        if code in _READ_ONLY:
            return StoreError(
                "cannot be opened for writing", subject=subject, seen=seen, next_step=_ANOTHER
            )
        return StoreError("SQLite refused", subject=subject, seen=seen, next_step=_ANOTHER)

    def _disk_is_full(self) -> bool:
        """SQLite reports a journal that could not be written as an input/output error."""
        try:
            disk = os.statvfs(self.path.parent)
        except OSError:
            return False
        return disk.f_bavail == 0


_ANOTHER = "see to its folder's rights, or name another with --store (pytest: --chaos-store)"
