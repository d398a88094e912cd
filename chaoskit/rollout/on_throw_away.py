"""`chaoskit rollout` on a cluster of its own, from manifests."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from chaoskit import clock
from chaoskit.cluster import archives, engine
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.launch.interrupts import sigterm_raises
from chaoskit.cluster.node import Node
from chaoskit.errors import ChaoskitError, UsageError
from chaoskit.history.session import ScenarioOutcome, SessionScenario, slug_of
from chaoskit.kube.kinds import Object
from chaoskit.rollout import sources, throw_away
from chaoskit.rollout.asked import Asked
from chaoskit.rollout.course import Concluded, Course, Say
from chaoskit.rollout.entry import Entry, entry_of
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.rollout.promises import Promise, Rollout, promises
from chaoskit.rollout.workloads import Rolled, changed, images_of, workload
from chaoskit.run import Run
from chaoskit.run.book import SessionBook
from chaoskit.run.session import ChaosSession
from chaoskit.workloads.manifest import Manifest
from chaoskit.workloads.service import Service

_READY_WITHIN_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that is known before anything is started."""

    asked: Asked
    manifests: Sequence[Manifest]
    #: What is applied together with the change, besides the workload itself.
    further: Sequence[Manifest]
    rollout: Rollout
    after: Object
    entry: Entry
    promised: Sequence[Promise]
    notes: Sequence[str]

    @property
    def images(self) -> list[str]:
        """Every image that the nodes need."""
        objects = [each.content for each in (*self.manifests, *self.further)]
        wanted = throw_away.images_wanted(objects)
        return list(dict.fromkeys([*wanted, *images_of(self.after)]))


def prepare(asked: Asked, standard_input: Callable[[], str]) -> Prepared:
    """Read the manifests and derive what they promise. Raises `UsageError`; touches nothing."""
    notes: list[str] = []
    if not asked.manifests:
        raise UsageError(
            "there is nothing to roll out",
            subject=str(asked.ref),
            next_step="--manifest with its manifests, or --context of the cluster where it runs",
        )
    read = sources.read(asked.manifests, asked.namespace, standard_input)
    notes += [f"left out: {each}" for each in read.left_out]
    manifests = throw_away.adapted(read.manifests, notes.append)
    before = _workload_in(manifests, asked)
    further: list[Manifest] = []
    applied: Object | None = None
    if asked.change.to:
        later = sources.read(asked.change.to, asked.namespace, standard_input)
        further = throw_away.adapted(later.manifests, notes.append)
        applied = _workload_in(further, asked)
        further = [each for each in further if each.content is not applied]
    after = changed(before, asked.change, asked.ref, applied)
    objects = [each.content for each in manifests]
    beside = [*(each.content for each in further), *objects]
    rollout = Rollout(
        before=WorkloadFacts(before, objects),
        after=WorkloadFacts(after, beside if further else objects),
        change=asked.change,
        claims=asked.claims,
    )
    return Prepared(
        asked=asked,
        manifests=manifests,
        further=further,
        rollout=rollout,
        after=after,
        entry=entry_of(rollout.before, asked.load.service, asked.load.port),
        promised=promises(rollout),
        notes=notes,
    )


def roll_out(prepared: Prepared, book: SessionBook, say: Say) -> Concluded:
    """Bring up a cluster, roll out under load, judge, and write the reports.

    Raises `ChaoskitError`s for what kept it from being tried; the report then says so.
    """
    asked = prepared.asked
    images = archives.images_of_engine(engine.require(), prepared.images, asked.archives)
    session = ChaosSession(book, say)
    nodeid = f"rollout::{asked.ref.kind}-{asked.ref.name}"
    began_ns = clock.now_ns()
    outcome: ScenarioOutcome = "UNKNOWN"
    reason = "interrupted before it ended"
    with sigterm_raises(), ExitStack() as ends:
        ends.callback(session.stop_cluster)
        run: Run | None = None
        try:
            stage = _stage(prepared, session, images, say)
            run = session.begin(
                nodeid=nodeid,
                title=f"{asked.ref} rolled out under load: {asked.change}",
                description=description(prepared),
                rows=("X1",),
                namespace=asked.namespace,
                command=asked.command,
            )
            ends.callback(run.close)
            concluded = Course(asked, prepared.promised, stage, prepared.after, say).go(
                run, prepared.rollout.within_s
            )
            outcome, reason = concluded.judgement.outcome.value, concluded.ended.problem
            return concluded
        except ChaoskitError as error:
            reason = str(error)
            session.collect_logs(nodeid)
            raise
        finally:
            if run is not None:
                book.conclude(
                    SessionScenario(
                        slug=slug_of(nodeid),
                        nodeid=nodeid,
                        outcome=outcome,
                        rows=["X1"],
                        reason=reason,
                        wall_s=(clock.now_ns() - began_ns) / 1e9,
                        title=f"{asked.ref}: {asked.change}",
                        doc=description(prepared),
                    )
                )


def description(prepared: Prepared) -> str:
    """What is promised, for report and terminal."""
    lines = [f"Requests for {prepared.asked.load.path} to {prepared.entry}.", "", "Promised:"]
    lines += [
        f"- {each.says} ({each.because})"
        for each in prepared.promised
        if each.guarantee is not None
    ]
    if unjudged := [each for each in prepared.promised if each.guarantee is None]:
        lines += ["", "Not judged:", *(f"- {each.says} ({each.because})" for each in unjudged)]
    return "\n".join(lines)


def _stage(prepared: Prepared, session: ChaosSession, images: Sequence[str], say: Say) -> "_Stage":
    asked = prepared.asked
    cluster = session.cluster()
    throw_away.load(cluster, images, asked.archives, say)
    throw_away.apply(cluster.kube, asked.namespace, prepared.manifests, say)
    if prepared.entry.twin is not None:
        cluster.kube.apply(prepared.entry.twin)
    throw_away.wait_everything_ready(
        cluster.kube, prepared.manifests, say, timeout_s=_READY_WITHIN_S
    )
    return _Stage(prepared, cluster)


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

    def apply_beside(self) -> None:
        for each in throw_away.in_order(self.prepared.further):
            self.cluster.kube.apply(each.content)

    def rolled(self, run: Run) -> Rolled:
        return workload(self.cluster.kube, self.prepared.asked.ref, run.steps)


def _workload_in(manifests: Sequence[Manifest], asked: Asked) -> Object:
    for each in manifests:
        if each.ref == asked.ref:
            return each.content
    raise UsageError(
        "is not among the manifests",
        subject=str(asked.ref),
        seen=", ".join(str(each.ref) for each in manifests) or "no object",
        next_step="name one of these, or further manifests",
    )
