"""The cluster of a session: started when first asked for, shared between processes, given up."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from chaoskit.cluster import images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch.interrupts import interrupts_held
from chaoskit.cluster.launch.labels import this_process
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import ChaoskitError
from chaoskit.faults.ledger.guard import Guard
from chaoskit.faults.ledger.healing import heal_left_behind
from chaoskit.load.sampling import ControlTarget
from chaoskit.options import size_of
from chaoskit.run.book import SessionBook
from chaoskit.run.shared import SharedCluster, SharedRun
from chaoskit.run.warm_driver import WarmDriver

#: A scenario that needs the cluster for itself waits for those that use it now.
OTHERS_DONE_WITHIN_S = 3600.0


class SessionCluster:
    """At most one cluster at a time. With `shared` it is one for several processes: the first
    starts it, the others join, and none of them ends it.
    """

    def __init__(
        self,
        book: SessionBook,
        say: Callable[[str], None],
        driver: WarmDriver,
        guard: Guard,
        shared: SharedRun | None,
    ) -> None:
        self._book = book
        self._guard = guard
        self._driver = driver
        self._nodes = book.options.nodes
        self._say = say
        self._shared = shared
        self._provider: K3sProvider | None = None
        self._cluster: K3sCluster | None = None
        self._failure: ChaoskitError | None = None
        self._dirty = ""  # why no further scenario is to use this cluster
        self._shared_guard: Guard | None = None
        self._control: ControlTarget | None = None
        #: Whether scenarios of other processes may run on it just now.
        self.is_used_by_others = False

    @contextmanager
    def using(self, *, alone: bool, nodes: str | None = None) -> Iterator[K3sCluster]:
        """A context with the cluster: `alone`, or together with other processes' scenarios.

        With `nodes` ("1+3") of another size than the session's it is one for this context alone:
        the session's own is put away first, as a machine may not carry both, and started anew for
        whoever comes next.
        """
        shared = self._shared
        if nodes is not None and nodes != self._book.options.nodes:
            with self._of_size(nodes) as cluster:
                yield cluster
            return
        if shared is not None and self._dirty and self._cluster is not None:
            with self._alone():
                self._leave_unless_shared(shared, self._cluster)
                if self._cluster is not None:
                    self._give_up_cluster(self._cluster, self._dirty)
        if shared is None:
            yield self.get()
            return
        turn = shared.use.alone if alone else shared.use.shared
        with turn(timeout_s=OTHERS_DONE_WITHIN_S):
            self.is_used_by_others = not alone
            try:
                yield self.get()
            finally:
                self.is_used_by_others = False

    @property
    def waited_s(self) -> float:
        """Seconds waited for other processes to be done with the cluster, in all."""
        return 0.0 if self._shared is None else self._shared.waited_s

    def get(self) -> K3sCluster:
        """The session's cluster, started when first asked for, and anew when a fault of an earlier
        scenario could not be healed. Raises `ChaoskitError`s.
        """
        if self._failure is not None:
            raise self._failure
        try:
            if self._shared is None and self._dirty and self._cluster is not None:
                self._give_up_cluster(self._cluster, self._dirty)
            if self._shared is not None and self._cluster is not None:
                self._leave_unless_shared(self._shared, self._cluster)
            if self._cluster is None:
                self._come_by_cluster()
        except ChaoskitError as error:
            self._failure = error  # a second attempt would only take its time again
            raise
        assert self._cluster is not None  # started or joined now or before
        return self._cluster

    def control_target(self) -> ControlTarget:
        """The server beside the cluster that no fault touches."""
        self.get()
        assert self._control is not None  # started with the cluster
        return self._control

    def note_dirty(self, reason: str) -> None:
        """No further scenario is to use this cluster, for that reason."""
        self._dirty = reason
        self._book.troubles.append(reason)

    def collect_logs(self, folder: Path) -> None:
        """Keep the logs of every component, if there is a cluster."""
        if self._cluster is not None:
            with self._book.noting_trouble():
                self._cluster.collect_logs(folder)

    def stop(self) -> None:
        """Keep the logs of all components and end the cluster, or keep it and say so.

        A cluster that cannot be removed (its engine is gone) stands in the book's troubles; the
        next start of any cluster sweeps it.
        """
        cluster, provider = self._cluster, self._provider
        self._cluster = self._provider = None
        if provider is not None:
            with closing(provider):
                if cluster is not None:
                    with self._book.noting_trouble():
                        self._part_with(provider, cluster)

    def _part_with(self, provider: K3sProvider, cluster: K3sCluster) -> None:
        """Leave a shared cluster to the others; end one's own, or a dirty one, its logs kept."""
        shared = self._shared
        if shared is not None and not self._dirty:
            self._leave(cluster)
            return
        with self._alone():  # to a scenario of others it would look like an outage
            if shared is not None and not _is_shared(shared, cluster):
                self._leave(cluster)
                return
            with self._book.noting_trouble():
                cluster.collect_logs(self._book.folder / "nodes")
            self._end_cluster(provider, cluster)

    @contextmanager
    def _of_size(self, nodes: str) -> Iterator[K3sCluster]:
        size_of(nodes, asked_by="marker nodes")
        with self._alone():
            self._put_away(f"{nodes} nodes are asked for")
            self._nodes = nodes
            try:
                yield self.get()
            finally:
                self._nodes = self._book.options.nodes
                self._failure = None  # that there is none of this size says nothing of the usual
                self._put_away(f"it has {nodes} nodes, for one scenario")

    def _alone(self) -> AbstractContextManager[None]:
        """A context in which no other process uses it; there may be none."""
        if self._shared is None:
            return nullcontext()
        return self._shared.use.alone(timeout_s=OTHERS_DONE_WITHIN_S)

    def _put_away(self, reason: str) -> None:
        """End the cluster that is there, whoever of those that share it has started it."""
        if self._shared is not None and self._cluster is not None:
            self._leave_unless_shared(self._shared, self._cluster)
        if self._shared is not None and self._shared.read() is not None:
            self.get()
        if self._cluster is not None:
            self._give_up_cluster(self._cluster, self._dirty or reason)

    def _give_up_cluster(self, cluster: K3sCluster, reason: str) -> None:
        """End a cluster that is not what is needed, so that the next scenario gets a new one."""
        self._say(f"cluster {cluster.name} is given up: {reason.splitlines()[0]}")
        with self._book.noting_trouble():
            cluster.collect_logs(self._book.folder / "given-up" / cluster.name)
        assert self._provider is not None  # it has started the cluster
        self._end_cluster(self._provider, cluster)
        self._cluster = self._control = None
        self._dirty = ""

    def _end_cluster(self, provider: K3sProvider, cluster: K3sCluster) -> None:
        """Remove it, or keep it as told; never keep one with a fault that is open still."""
        self._guard.forget(cluster.name)
        if self._shared is not None:
            self._shared.write(None)
        if not self._dirty:
            provider.stop(cluster)
            return
        with interrupts_held():
            cluster.remove()
        self._say(f"removed cluster {cluster.name}, as a fault in it could not be healed")
        for said in heal_left_behind(provider, owner=this_process()):
            self._say(said)

    # starting

    def _come_by_cluster(self) -> None:
        self._guard.start()  # guardian and driver load their modules while the nodes start
        self._driver.get()
        if self._shared is None:
            self._start()
            return
        with self._shared.starts.alone(timeout_s=OTHERS_DONE_WITHIN_S):
            self._start_or_join(self._shared)

    def _start(self) -> None:
        owner = this_process() if self._shared is None else self._shared.owner
        self._provider = self._provider or K3sProvider(progress=self._say, owner=owner)
        for said in heal_left_behind(self._provider):
            self._say(said)
        specimens = images.ensure(self._provider.client, ("specimen",), images.Lines(self._say))
        servers, agents = size_of(self._nodes, asked_by="nodes")
        self._cluster = self._provider.start(
            ClusterSpec(
                servers=servers,
                agents=agents,
                image=self._book.options.image,
                profile=self._book.options.profile,
                images=specimens["specimen"],
                keep=self._is_kept(),
            )
        )
        self._guard.watch(self._cluster.name)
        target = self._cluster.start_control_target(specimens["specimen"][0])
        self._control = ControlTarget(*target)
        facts = self._book.facts = self._cluster.facts
        self._say(
            f"cluster {self._cluster.name} ready in {facts.get('started_s', '?')} s: "
            f"{facts.get('image')}, Kubernetes {facts.get('kubernetes')}, "
            f"nodes {self._nodes}, profile {self._book.options.profile}"
        )

    def _is_kept(self) -> bool:
        """Whether it is the one that whoever asked for a kept cluster means."""
        options = self._book.options
        is_first = self._shared is None or self._shared.place == 0
        return options.keep_cluster and is_first and self._nodes == options.nodes

    def _start_or_join(self, shared: SharedRun) -> None:
        """The caller has the turn to start it."""
        there = shared.read()
        if there is None:
            # Its owner, which ends it in good order, starts nothing itself, and may be killed.
            if self._shared_guard is None:
                self._shared_guard = Guard(shared.owner)
            self._shared_guard.start()
            try:
                self._start_for_all(shared)
            except BaseException:
                if self._cluster is not None:  # nobody else would know of it
                    with self._book.noting_trouble():
                        self._give_up_cluster(self._cluster, "it cannot be shared")
                raise
            return
        provider = self._provider = self._provider or K3sProvider(
            progress=self._say, owner=shared.owner
        )
        self._cluster = provider.find(there.name)
        if not self._cluster.spec.keep:
            self._cluster.heartbeat.start()
        self._guard.watch(there.name)
        self._control = ControlTarget(*there.control)
        self._driver.adopt(there.calibration)
        self._book.facts = self._cluster.facts

    def _start_for_all(self, shared: SharedRun) -> None:
        self._start()
        assert self._cluster is not None  # just started
        assert self._control is not None
        control = (self._control.host, self._control.port)
        # Measured while nobody else drives anything: all drivers share this machine.
        if (known := shared.calibration()) is not None:
            self._driver.adopt(known)
        calibration = self._driver.calibration()
        shared.write(
            SharedCluster(name=self._cluster.name, control=control, calibration=calibration)
        )

    def _leave_unless_shared(self, shared: SharedRun, cluster: K3sCluster) -> None:
        """Let go of a cluster that another process has given up meanwhile."""
        if not _is_shared(shared, cluster):
            self._leave(cluster)
            self._cluster = self._control = None
            self._dirty = ""  # that was said of the other one

    def _leave(self, cluster: K3sCluster) -> None:
        """Let go of it, whatever becomes of it."""
        self._guard.forget(cluster.name)
        cluster.close()


def _is_shared(shared: SharedRun, cluster: K3sCluster) -> bool:
    """Whether it is the one that all share now."""
    there = shared.read()
    return there is not None and there.name == cluster.name


def end_shared_clusters(book: SessionBook, say: Callable[[str], None]) -> None:
    """End the clusters that the worker processes of this session shared, their logs kept."""
    for shared in SharedRun(book.folder, this_process(), say).all():
        there = shared.read()
        if there is None:
            continue
        with closing(K3sProvider(progress=say)) as provider, book.noting_trouble():
            cluster = provider.find(there.name)
            with book.noting_trouble():
                cluster.collect_logs(book.folder / "nodes")
            provider.stop(cluster)
            shared.write(None)
