"""`chaoskit rollout` on a cluster of its own, from manifests."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.cluster import archives, engine
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node import Node
from chaoskit.rollout import throw_away
from chaoskit.rollout.course import Say, Stage
from chaoskit.rollout.prepared import Prepared
from chaoskit.rollout.workloads import Rolled, workload
from chaoskit.run import Run
from chaoskit.run.book import SessionBook
from chaoskit.run.session import ChaosSession
from chaoskit.workloads.service import Service

_READY_WITHIN_S = 180.0


class ThrowAway:
    """A cluster that is started for the rollout. Raises `EngineError`, `ImageError` when made."""

    def __init__(self, prepared: Prepared, book: SessionBook, say: Say) -> None:
        self._prepared = prepared
        self._say = say
        # Before anything is started: an image that is nowhere is the commonest mistake.
        self._images = archives.images_of_engine(
            engine.require(), prepared.images, prepared.asked.archives
        )
        self._session = ChaosSession(book, say)

    def stage(self) -> Stage:
        """Start the cluster, load the images, apply the manifests, wait until all is ready."""
        prepared, say = self._prepared, self._say
        asked = prepared.asked
        cluster = self._session.cluster()
        kube = cluster.kube
        throw_away.load(cluster, self._images, asked.archives, say)
        throw_away.apply(kube, asked.namespace, prepared.manifests, say)
        if prepared.entry.twin is not None:
            kube.apply(prepared.entry.twin)
        throw_away.wait_everything_ready(kube, prepared.manifests, say, timeout_s=_READY_WITHIN_S)
        return _Stage(prepared, cluster)

    def begin(self, *, nodeid: str, title: str, description: str, rows: Sequence[str]) -> Run:
        """Start recording."""
        asked = self._prepared.asked
        return self._session.begin(
            nodeid=nodeid,
            title=title,
            description=description,
            rows=rows,
            namespace=asked.namespace,
            command=asked.command,
        )

    def collect_logs(self, nodeid: str) -> None:
        """The logs of every component."""
        self._session.collect_logs(nodeid)

    def close(self) -> None:
        """End the cluster, or keep it as told."""
        self._session.stop_cluster()


@dataclass(frozen=True)
class _Stage:
    prepared: Prepared
    cluster: K3sCluster

    @property
    def service(self) -> Service:
        asked = self.prepared.asked
        return Service.named(self.cluster.kube, asked.namespace, self.prepared.entry.name)

    @property
    def entries(self) -> Sequence[Node]:
        return self.cluster.agents or self.cluster.servers

    def wait_answering(self, *, timeout_s: float) -> None:
        self.service.wait_answering(timeout_s)

    def apply_beside(self) -> None:
        for each in throw_away.in_order(self.prepared.further):
            self.cluster.kube.apply(each.content)

    def rolled(self, run: Run) -> Rolled:
        return workload(self.cluster.kube, self.prepared.asked.ref, run.steps)
