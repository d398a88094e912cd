"""Where the engine's log and entry live, and the lock that lets one process care for it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Progress = Callable[[str], None]


def system_path() -> str:
    """PATH with the folders of system programs, which the PATH of a plain user lacks."""
    return f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


def which(program: str) -> str | None:
    """The path of a program on `system_path`, None if it is not there."""
    return shutil.which(program, path=system_path())


def state_folder() -> Path:
    """Where the engine's log and its entry are kept; made if it is not there.

    `CHAOSKIT_STATE_DIR` names another place than the system's or the user's usual one.
    """
    if named := os.environ.get("CHAOSKIT_STATE_DIR"):
        folder = Path(named)
    elif os.geteuid() == 0:
        folder = Path("/var/lib/chaoskit")
    else:
        state = os.environ.get("XDG_STATE_HOME")
        folder = (Path(state) if state else Path.home() / ".local" / "state") / "chaoskit"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tail(log: Path, rows: int = 15) -> str:
    """The last rows of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-rows:])


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time; a second one waits until the first is done or dead."""
    with (state_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
