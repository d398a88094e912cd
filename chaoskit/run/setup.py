"""What a run is told before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaoskit import __version__, clock
from chaoskit.cluster.provider import Cluster
from chaoskit.history.folder import RunInfo


@dataclass(frozen=True, kw_only=True)
class RunSetup:
    """What a run needs to know before it starts; `folder` is made for its record.

    `shares_cluster`: scenarios of other processes run on the cluster at the same time.
    """

    folder: Path
    run_id: str
    scenario: str
    title: str
    description: str
    rows: Sequence[str]
    seed: int
    namespace: str
    profile: str
    command: str
    shares_cluster: bool = False

    def info(self, cluster: Cluster) -> RunInfo:
        """What stands first in its record, as of now."""
        return RunInfo(
            run_id=self.run_id,
            scenario=self.scenario,
            title=self.title,
            description=self.description,
            rows=list(self.rows),
            seed=self.seed,
            started_wall_ns=clock.wall_ns(),
            started_ns=clock.now_ns(),
            boot_id=clock.boot_id(),
            chaoskit_version=__version__,
            cluster=cluster.facts,
            namespace=self.namespace,
            profile=self.profile,
            command=self.command,
        )
