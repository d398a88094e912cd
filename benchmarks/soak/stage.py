"""What a stage of `make soak` is, and the file in which its results add up."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

#: What came of one piece: its name under "piece", under "done" whether it need not be done again,
#: and whatever the stage's table is made of.
Row = dict[str, Any]


class Stage(Protocol):
    """A kind of long run, cut into pieces that are each done within minutes.

    `title` says in a line what it shows; `needs_engine` whether it runs containers.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def needs_engine(self) -> bool: ...

    def pieces(self) -> Sequence[str]:
        """All pieces by name, in the order in which they are done."""
        ...

    def run(self, piece: str, folder: Path) -> Row:
        """Do one piece. Its files go below `folder`, which all pieces of the stage share."""
        ...

    def table(self, rows: Sequence[Row]) -> str:
        """What came of all pieces so far, in Markdown."""
        ...


@dataclass(frozen=True)
class Ledger:
    """The rows of one stage, one line of JSON each; a line that was torn does not count."""

    folder: Path

    def rows(self) -> list[Row]:
        """All of them, in the order in which they came."""
        if not self._path.exists():
            return []
        rows = []
        for line in self._path.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:  # the writer was killed: its piece is done again
                continue
        return rows

    def left(self, pieces: Sequence[str]) -> list[str]:
        """The pieces that are not done."""
        done = {row["piece"] for row in self.rows() if row["done"]}
        return [piece for piece in pieces if piece not in done]

    def append(self, row: Row) -> None:
        """Add what came of a piece, and what was checked out then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        torn = self._path.exists() and not self._path.read_bytes().endswith(b"\n")
        with self._path.open("a") as file:
            file.write(("\n" if torn else "") + json.dumps({**row, "commit": _commit()}) + "\n")

    @property
    def _path(self) -> Path:
        return self.folder / "results.jsonl"


def _commit() -> str:
    """The commit that was checked out, with a + when files differed from it; empty without git."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return said.stdout.strip()
