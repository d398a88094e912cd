"""A session: its cluster, one warm load driver, and the scenarios that share them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from chaoskit.cluster import extras, fake_nodes, images
from chaoskit.cluster.fake_nodes import FakeNodes
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.registry import Registry
from chaoskit.faults.ledger.guard import Guard
from chaoskit.history.session import slug_of
from chaoskit.load.driver import Driver
from chaoskit.load.sampling import ControlTarget
from chaoskit.run.book import SessionBook
from chaoskit.run.equipment import Equipment
from chaoskit.run.run import Run
from chaoskit.run.session_cluster import OTHERS_DONE_WITHIN_S, SessionCluster
from chaoskit.run.setup import RunSetup
from chaoskit.run.shared import SharedRun
from chaoskit.run.warm_driver import WarmDriver

METRICS = "metrics-server"


class ChaosSession:
    """What the scenarios of one process share. Nothing is started before it is asked for.

    With `shared` the cluster is one for several processes: the first starts it, the others join,
    and none of them ends it. With a `place` other than 0 what needs a cluster alone has that at
    this place, and need not wait for those that share the first one.
    """

    def __init__(
        self,
        book: SessionBook,
        say: Callable[[str], None],
        *,
        shared: SharedRun | None = None,
        place: int = 0,
    ) -> None:
        self.book = book
        self.options = book.options
        self._shared = shared
        self._say = say
        self._driver = WarmDriver(say)
        #: What heals and removes clusters when this process is killed.
        self.guard = Guard()
        self._places = {
            each: SessionCluster(
                book, say, self._driver, self.guard, None if shared is None else shared.at(each)
            )
            for each in {0, place}
        }
        self._place = place
        self._cluster = self._places[0]  # the last scenario's

    def say(self, text: str) -> None:
        """Show a line: what takes more than two seconds says how far it is."""
        self._say(text)

    @contextmanager
    def using(
        self, *, alone: bool, nodes: str | None = None, heavy: bool = False
    ) -> Iterator[K3sCluster]:
        """A context with the cluster: `alone`, or together with other processes' scenarios.

        With `nodes` ("1+3") of another size than the session's it is one for this context alone.
        While one is `heavy` no other process has any cluster of the session.
        """
        for_itself = alone or heavy or nodes is not None
        self._cluster = self._places[self._place if for_itself else 0]
        with (
            self._turn_at_the_machine(heavy=heavy),
            self._cluster.using(alone=alone or heavy, nodes=nodes) as cluster,
        ):
            yield cluster

    def _turn_at_the_machine(self, *, heavy: bool) -> AbstractContextManager[None]:
        if self._shared is None:
            return nullcontext()
        machine = self._shared.machine
        turn = machine.alone if heavy else machine.shared
        return turn(timeout_s=OTHERS_DONE_WITHIN_S)

    @property
    def waited_s(self) -> float:
        """Seconds waited for other processes to be done with cluster and machine, in all."""
        for_machine_s = 0.0 if self._shared is None else self._shared.machine.waited_s
        return for_machine_s + sum(each.waited_s for each in self._places.values())

    def cluster(self) -> K3sCluster:
        """The session's cluster, started when first asked for, and anew when a fault of an earlier
        scenario could not be healed. Raises `ChaoskitError`s.
        """
        return self._cluster.get()

    def driver(self) -> Driver:
        """The warm load driver; a new one where the last has died."""
        return self._driver.get()

    def control_target(self) -> ControlTarget:
        """The server beside the session's cluster that no fault touches."""
        return self._cluster.control_target()

    def registry(self) -> Registry:
        """The private registry beside the session's cluster, started when first asked for."""
        return self.cluster().start_registry(self._built("registry"))

    def _built(self, kind: str) -> str:
        """The image of that kind, built if it is not there."""
        client = self.cluster().client
        (image,) = images.ensure(client, (kind,), images.Lines(self._say))[kind]
        return image

    def add_kwok_nodes(self, count: int) -> FakeNodes:
        """So many nodes that KWOK plays, beside the session's own; the caller removes them."""
        cluster = self.cluster()
        return fake_nodes.add(cluster, count, self._built(fake_nodes.KWOK))

    def start_metrics(self) -> None:
        """metrics-server in the session's cluster, which answers what pods use."""
        extras.start(self.cluster(), METRICS, self._built(METRICS))

    def stop_metrics(self) -> None:
        """Take metrics-server away again."""
        extras.stop(self.cluster(), METRICS)

    def begin(
        self,
        *,
        nodeid: str,
        title: str,
        description: str,
        rows: Sequence[str],
        namespace: str,
        command: str | None = None,
    ) -> Run:
        """Start the run of one scenario in its namespace; `command` repeats it (None: pytest)."""
        setup = RunSetup(
            folder=self.book.folder / slug_of(nodeid),
            run_id=self.book.folder.name,
            scenario=nodeid,
            title=title,
            description=description,
            rows=rows,
            seed=self.options.seed,
            namespace=namespace,
            profile=self.options.profile,
            command=command or f"pytest '{nodeid}' --chaos-seed {self.options.seed}",
            shares_cluster=self._cluster.is_used_by_others,
        )
        cluster = self.cluster()
        equipment = Equipment(
            self.driver(),
            control=self.control_target(),
            measured=self._driver,
            guard=self.guard,
            dirty=self._cluster.note_dirty,
        )
        return Run.start(setup, cluster, equipment)

    def collect_logs(self, nodeid: str) -> None:
        """Keep the logs of every component beside a scenario's record."""
        self._cluster.collect_logs(self.book.folder / slug_of(nodeid) / "logs" / "nodes")

    def stop_cluster(self) -> None:
        """Keep the logs of all components; end driver and cluster, or keep it and say so."""
        with ExitStack() as ends:
            ends.callback(self._close_guard)
            for each in self._places.values():
                ends.callback(each.stop)
            ends.callback(self._driver.close)

    def _close_guard(self) -> None:
        with self.book.noting_trouble():
            self.guard.close()
