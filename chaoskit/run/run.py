"""The run itself: it starts the recorders, hands out load and faults, and judges the record."""

import itertools
import random
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

from chaoskit import __version__
from chaoskit.cluster.container_scanner import ContainerScanner, NodeContainersCluster
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node import Node
from chaoskit.cluster.profiles import fault_may_last_s
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ChaoskitError, UsageError
from chaoskit.faults.fault import Fault
from chaoskit.faults.measuring import Datagrams, measured_path
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import Judgement, encode, judge, judgement
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.history.writer import EventWriter
from chaoskit.kube.observer import Observer
from chaoskit.load.rates import Shape
from chaoskit.run.asking import asking_on_node
from chaoskit.run.ceiling import Ceiling
from chaoskit.run.composition import Planned
from chaoskit.run.equipment import Equipment
from chaoskit.run.faults import Faults
from chaoskit.run.following import follow_names
from chaoskit.run.loads import Entries, Loads
from chaoskit.run.marks import Marks
from chaoskit.run.name_asking import names_asked
from chaoskit.run.outcome import NotHeld
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.run.setup import RunSetup
from chaoskit.run.streams import Way
from chaoskit.run.traces import traces_compared
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import PORT

T = TypeVar("T")

_SYNCED_WITHIN_S = 30.0
_EFFECTIVE_WITHIN_S = 10.0
#: A member that restarts while it is read is answered for again by its node within seconds.
_STORE_READ_WITHIN_S = 20.0


class Run:
    """What a scenario holds as `chaos`. Made by `start`, ended by `close`.

    `random` is drawn from the run's seed and the scenario's name: it fixes the plan, not the
    cluster's timing.
    """

    def __init__(self, setup: RunSetup, cluster: Cluster, equipment: Equipment) -> None:
        self.setup = setup
        self.cluster = cluster
        self.judgement: Judgement | None = None
        self.random = random.Random(f"{setup.seed}/{setup.scenario}")
        self.record = RecordFolder.create(setup.folder, setup.info(cluster))
        self.logs = setup.folder / "logs"
        self.logs.mkdir()
        self._writer = EventWriter(self.record.new_events_file("run"))
        self.steps = Marks(self._writer)
        self._observer: Observer | None = None
        self._scanner: ContainerScanner | None = None
        self._stopped = False
        self._equipment = equipment
        self._ceiling = Ceiling(equipment.measured, self.steps, self._writer.append)
        self._loads = Loads(
            equipment.driver,
            self.record,
            self.logs,
            self.random,
            equipment.control,
            self._ceiling,
        )
        self._faults = Faults(
            cluster,
            self.steps,
            self._loads,
            namespace=setup.namespace,
            shares_cluster=setup.shares_cluster,
            guard=equipment.guard,
            dirty=equipment.dirty,
        )

    @classmethod
    def start(cls, setup: RunSetup, cluster: Cluster, equipment: Equipment) -> "Run":
        """Start recording; returns when no change in the namespace goes unseen any more."""
        run = cls(setup, cluster, equipment)
        try:
            run._ceiling.begin()
            run._observer = Observer.start(
                cluster.kubeconfig,
                [setup.namespace],
                run.record.path,
                run.logs / "observer.log",
                kinds=cluster.watchable,
                is_confined=cluster.is_confined,
            )
            if isinstance(cluster, NodeContainersCluster):
                run._scanner = ContainerScanner.start(
                    cluster, run.record.path, run.logs / "container-scan.log"
                )
            run._observer.wait_synced(_SYNCED_WITHIN_S)
        except BaseException:
            run.close()
            raise
        return run

    def start_again(self, setup: RunSetup) -> "Run":
        """Another run on the same cluster, by the same driver; the caller closes it."""
        return Run.start(setup, self.cluster, self._equipment)

    def load(
        self,
        target: Service | KeyValue,
        *,
        via: Entries,
        rate_per_s: float = 0.0,
        shape: Shape | None = None,
        connections: Sequence[str] = ("new", "kept"),
        answer_timeout_s: float = 2.0,
        connect_timeout_s: float = 2.0,
        path: str = "/",
    ) -> SampledLoad:
        """Send requests to `target` through the nodes `via`: open loop, `rate_per_s` in total.

        `shape` in its place lets the rate change (`chaoskit.load.rates`: Ramp, Staircase, Spike,
        Replay). Reads of `path` go to the Service on each kind of connection; a key-value store
        gets acknowledged writes to each member besides. The sampler goes the same ways beside it,
        20 times a second each, and to the control target. As a context the load is stopped at its
        end. Raises `UsageError`, `LoadError`.
        """
        return self._loads.open(
            target,
            via=via,
            rate_per_s=rate_per_s,
            shape=shape,
            connections=connections,
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
            path=path,
        )

    def closed_load(
        self,
        target: Service | KeyValue,
        *,
        via: Entries,
        users: int,
        wait_s: tuple[float, float] = (0.1, 0.5),
        connections: Sequence[str] = ("new", "kept"),
        answer_timeout_s: float = 2.0,
        connect_timeout_s: float = 2.0,
    ) -> SampledLoad:
        """So many users, each waiting for its answer and then for a time between those of `wait_s`.

        It shows what users meet, but a service that hangs is asked less: outages are dated better
        by an open loop. Otherwise as `load`.
        """
        return self._loads.closed(
            target,
            via=via,
            users=users,
            wait_s=wait_s,
            connections=connections,
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
        )

    def locustfile(
        self,
        path: Path,
        target: Service,
        *,
        via: Way,
        users: int = 1,
        spawn_rate_per_s: float = 10.0,
        user_classes: Sequence[str] = (),
        sampled_path: str = "/",
    ) -> SampledLoad:
        """The users of your own locustfile, sent to `target` by the way `via`.

        Closed loop, every request recorded; the sampler beside it reads `sampled_path`. Raises
        `UsageError`, or `LoadError` with the file's own error.
        """
        return self._loads.locustfile(
            path,
            target,
            via=via,
            users=users,
            spawn_rate_per_s=spawn_rate_per_s,
            user_classes=user_classes,
            sampled_path=sampled_path,
        )

    def inject(
        self,
        *faults: Fault,
        at_most_s: float | None = None,
        effective_within_s: float = _EFFECTIVE_WITHIN_S,
        allow: Collection[str] = (),
    ) -> AbstractContextManager[None]:
        """A context in which these are proved to be in effect; they are healed at its end.

        After `at_most_s` and a margin they heal by themselves, whatever becomes of this process
        (None: 300 s and what pods of the cluster's profile tolerate, so 600 s in `default`).
        Several are injected in their order and healed in reverse. `allow` names what they may
        touch although it is spared otherwise (`chaoskit.run.blast_radius`). Raises `UsageError`
        for what is spared, `FaultError` for one that is open on its target already, that was not
        seen in effect, or that could not be healed.
        """
        if at_most_s is None:
            at_most_s = fault_may_last_s(self.setup.profile)
        return self._faults.inject(
            faults, at_most_s=at_most_s, effective_within_s=effective_within_s, allow=allow
        )

    def flap(
        self,
        fault: Fault,
        *,
        down_s: float,
        up_s: float,
        times: int,
        effective_within_s: float = _EFFECTIVE_WITHIN_S,
        allow: Collection[str] = (),
    ) -> None:
        """Inject and heal a fault so many times; each time has marks of its own. As `inject`."""
        self._faults.flap(
            fault,
            down_s=down_s,
            up_s=up_s,
            times=times,
            effective_within_s=effective_within_s,
            allow=allow,
        )

    def play(self, plan: Sequence[Planned], *, allow: Collection[str] = ()) -> None:
        """Inject and heal what is planned, each at its time; returns after the last heal.

        Targets come from `pick`, so that the seed fixes them. As `inject`.
        """
        self._faults.play(plan, allow=allow)

    def pick(self, among: Sequence[T]) -> T:
        """One of these, by the run's seed; the record says which. Raises `UsageError` for none."""
        if not among:
            raise UsageError("there is nothing to pick from", subject="pick")
        picked = among[self.random.randrange(len(among))]
        self.steps.note("info", f"picked {picked} of {len(among)}, by seed {self.setup.seed}")
        return picked

    def phase(self, name: str) -> AbstractContextManager[None]:
        """A named span of the run."""
        return self.steps.phase(name)

    def read_store(self, store: KeyValue, *, via: Node) -> None:
        """Read all that each member holds into the record, for what acknowledged writes became.

        Raises `KubernetesError` for a member that has not answered after 20 s.
        """
        for ordinal in range(store.stateful_set.read()["spec"]["replicas"]):
            contents = store.wait_store(ordinal, via=via.name, timeout_s=_STORE_READ_WITHIN_S)
            self._writer.append(contents)

    def ask_members(self, store: KeyValue) -> None:
        """Ask each member through the API server's proxy, with the closing slash and without."""
        for ordinal in range(store.stateful_set.read()["spec"]["replicas"]):
            member = store.member(ordinal)
            for path in ("/", ""):
                for method in ("GET", "HEAD"):
                    self._writer.append(member.answer(path, method=method))

    @property
    def _own_cluster(self) -> K3sCluster:
        """For what is done inside nodes: `UsageError` on a cluster that is somebody else's."""
        if not isinstance(self.cluster, K3sCluster):
            raise UsageError(
                "its nodes cannot be entered",
                subject=f"cluster {self.cluster.name}",
                next_step="do this on a cluster that chaoskit started",
            )
        return self.cluster

    def asking_on_node(self, pod: Pod) -> AbstractContextManager[None]:
        """A context in which this very pod is asked from its own node, some times a second.

        So it is heard while its node is cut, and after its name has gone to another one.
        """
        address = str(pod.read()["status"]["podIP"])
        node = self._own_cluster.node_of(pod)
        return asking_on_node(node, address, PORT, self._writer.append)

    def follow_names(self, store: KeyValue, *, at_most_s: float) -> None:
        """Let each Ready member look up all members' names until all answers are right.

        They may be wrong until `at_most_s` are over: that is for a guarantee to judge.
        """
        follow_names(store, self._writer.append, at_most_s=at_most_s)

    def ask_names(self, pods: Sequence[Pod]) -> AbstractContextManager[None]:
        """A context in which each of these pods looks up one new name after the other."""
        return names_asked(self._own_cluster, pods, self._writer.append)

    def compare_traces(self) -> AbstractContextManager[None]:
        """A context at whose end the cluster is compared with its beginning, for what is left."""
        return traces_compared(self._own_cluster, self._writer.append)

    def measure_paths(self, datagrams: Datagrams, *ways: tuple[Node, Node]) -> None:
        """Let nodes send these on each of the ways (none named: on all), one way after the other.

        What came of them is on record. Raises `ClusterError` if a node's agent does not answer.
        """
        for source, destination in ways or itertools.permutations(self.cluster.nodes, 2):
            measured = measured_path(self.cluster, source.name, destination.name, datagrams)
            self._writer.append(measured)

    def check(self, *guarantees: Guarantee) -> Judgement:
        """End the recording and judge it. Raises `NotHeld` unless every guarantee HELD."""
        if self.judgement is not None:
            raise UsageError(
                "was judged already",
                subject=f"scenario {self.setup.scenario}",
                next_step="hand all guarantees to one check",
            )
        self._stop_recording()
        self.record.write_guarantees(encode(guarantees))
        verdicts = judge(self.history(), guarantees)
        self.judgement = judgement(verdicts, chaoskit_version=__version__)
        self.record.write_verdicts(self.judgement)
        if self.judgement.outcome is not Outcome.HELD:
            raise NotHeld(self.judgement, str(self.record.path))
        return self.judgement

    def history(self) -> History:
        """What is recorded so far; complete after `check`.

        What this process has marked is in it; rows of others may still be a second away.
        """
        if not self._stopped:
            self._writer.seal()  # else a phase that has just ended would seem to go on
        return History.open(self.record.path)

    def close(self) -> None:
        """Heal what is open, end what still runs; what was recorded stays. May be repeated.

        Raises what a fault raises that cannot be healed.
        """
        try:
            self._faults.close()
        finally:
            self._stop_recording()

    def _stop_recording(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        ends: list[Callable[[], object]] = [load.stop for load in self._loads.running]
        ends.append(self._loads.close)
        ends += [part.stop for part in (self._observer, self._scanner) if part is not None]
        with ExitStack() as ending:  # each is ended, also where the disk takes no note of another
            ending.callback(self._writer.close)
            for end in reversed(ends):
                ending.callback(self._end, end)

    def _end(self, end: Callable[[], object]) -> None:
        try:
            end()
        except ChaoskitError as failure:
            # Each recorder marks its own death; here the reader is told which it was.
            self.steps.note("error", str(failure))
