"""The end of a session: the run is kept in the store, for trends over days."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaoskit.run.book import SessionBook

#: Given for the store's path, it keeps no run.
NOWHERE = "none"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of keeping a run, in words for the terminal."""

    is_kept: bool
    said: str


def keep(book: SessionBook) -> Kept | None:
    """Add the session to the store; None where there is nothing to keep, or nobody wants it.

    Never raises: the run has its verdict, and a store that refuses it changes nothing about that.
    """
    if book.options.store == NOWHERE or not book.scenarios:
        return None
    folder = book.folder
    try:
        from chaoskit.store.keeping import kept_run
        from chaoskit.store.store import Store, default_path

        path = Path(book.options.store) if book.options.store else default_path()
        with Store(path) as store:
            store.add(kept_run(folder))
    except Exception as error:  # whatever it is: it is said, and the run ends as it would have
        said = f"this run was not kept: {error}\n  next: chaoskit runs add {folder}"
        return Kept(is_kept=False, said=said)
    return Kept(is_kept=True, said=f"kept: {path} (chaoskit runs show {folder.name})")
