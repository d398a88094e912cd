"""What the worker processes of one session share: its folder, its clusters, one calibration.

The first that needs a cluster starts it, in the name of the process that started the workers
(pytest-xdist's controller); the others join. That process ends it when all are done. All of it
stands in one file for each cluster in the session's folder, read and written under a lock.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from chaoskit.cluster.launch.labels import Owner
from chaoskit.history.events import Calibration
from chaoskit.run.sharing import Sharing

_FOLDER = "shared"
_FILE = "cluster.json"


class SharedCluster(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster that is shared, with its control target and the measured ceiling of drivers."""

    name: str
    control: tuple[str, int]
    calibration: Calibration | None = None


class SharedRun:
    """One session's shared state, seen by one of its processes: the cluster at one of its places.

    Scenarios of all workers share the one at place 0. A session may have more than one cluster at
    a time, for what needs one alone: each at a place of its own.
    """

    def __init__(
        self, session_folder: Path, owner: Owner, say: Callable[[str], None], *, place: int = 0
    ) -> None:
        self.owner = owner
        self.place = place
        self._session, self._say = session_folder, say
        self._places = session_folder / _FOLDER
        self._folder = self._places / str(place)
        #: Whose turn it is to use the cluster.
        self.use = Sharing(self._folder, say)
        #: Whose turn it is to take most of the machine, whatever the cluster.
        self.machine = Sharing(self._places / "machine", say)
        #: Who may start, join or replace a cluster: one process at a time, wherever it stands.
        self.starts = Sharing(self._places, say)

    def at(self, place: int) -> "SharedRun":
        """The same session's cluster at another place."""
        return SharedRun(self._session, self.owner, self._say, place=place)

    def all(self) -> list["SharedRun"]:
        """The places of this session at which there is a cluster."""
        used = sorted(self._places.glob(f"*/{_FILE}"))
        return [self.at(int(each.parent.name)) for each in used]

    @property
    def waited_s(self) -> float:
        """Seconds that this process has waited for others, in all."""
        return self.use.waited_s + self.starts.waited_s

    def calibration(self) -> Calibration | None:
        """The ceiling of drivers, as measured when the first cluster of the session was started."""
        there = [each.read() for each in self.all()]
        return next((each.calibration for each in there if each and each.calibration), None)

    def read(self) -> SharedCluster | None:
        """The cluster that is there, if one has been started."""
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
