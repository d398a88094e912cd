"""What the worker processes of one session share: its folder, one cluster, one calibration.

The first that needs the cluster starts it, in the name of the process that started the workers
(pytest-xdist's controller); the others join. That process ends it when all are done. All of it
stands in one file of the session's folder, read and written under a lock.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from chaoskit.cluster.launch.labels import Owner
from chaoskit.history.events import Calibration
from chaoskit.run.sharing import Sharing

_FILE = "cluster.json"


class SharedCluster(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster that is shared, with its control target and the measured ceiling of drivers."""

    name: str
    control: tuple[str, int]
    calibration: Calibration | None = None


class SharedRun:
    """One session's shared state, seen by one of its processes."""

    def __init__(self, session_folder: Path, owner: Owner, say: Callable[[str], None]) -> None:
        self.owner = owner
        self._folder = session_folder / "shared"
        self.use = Sharing(self._folder, say)

    def read(self) -> SharedCluster | None:
        """The cluster of the session, if one has been started."""
        try:
            content = (self._folder / _FILE).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(content, type=SharedCluster)

    def write(self, cluster: SharedCluster | None) -> None:
        """Tell the others; None: there is none any more."""
        path = self._folder / _FILE
        if cluster is None:
            path.unlink(missing_ok=True)
            return
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(cluster))
        fresh.replace(path)
