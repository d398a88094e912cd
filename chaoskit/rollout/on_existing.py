"""`chaoskit rollout` in one namespace of a cluster that is there already."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chaoskit.cluster.existing import ExistingCluster
from chaoskit.cluster.node import Node
from chaoskit.errors import ClusterError, UsageError
from chaoskit.history.session import slug_of
from chaoskit.kube import rights
from chaoskit.kube.kinds import Object
from chaoskit.kube.rights import Right
from chaoskit.load.driver import Driver
from chaoskit.load.driver import prepare as prepare_driver
from chaoskit.rollout.asked import Asked
from chaoskit.rollout.course import Say, Stage
from chaoskit.rollout.prepared import Prepared, change_from_manifests, prepared
from chaoskit.rollout.workloads import Rolled, workload
from chaoskit.run import Equipment, Run, RunSetup
from chaoskit.run.book import SessionBook
from chaoskit.run.streams import Way
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.service import Service

_READY_WITHIN_S = 60.0
#: Another network may be between here and there.
_ACCEPTED_WITHIN_S = 2.0
#: Where a workload's revisions are kept.
_REVISIONS = {"Deployment": "ReplicaSet"}
#: What is read where the account may: without it less can be said, and that is said.
_WELCOME = ("PodDisruptionBudget", "HorizontalPodAutoscaler")
_CLAIM = "PersistentVolumeClaim"


def rights_needed(asked: Asked, *, twin: bool) -> list[Right]:
    """What the account has to be allowed, all of it in the namespace."""
    kind, namespace = asked.ref.kind, asked.namespace
    seen = [kind, _REVISIONS.get(kind, "ControllerRevision"), "Pod", "EndpointSlice"]
    needed = rights.rights("get list watch", seen, namespace)
    needed += rights.rights("patch", [kind], namespace)
    needed += rights.rights("get list", ["Service"], namespace)
    if twin:
        needed += rights.rights("patch create delete", ["Service"], namespace)
    return needed


def rights_welcome(asked: Asked) -> list[Right]:
    """What more the account may be allowed: without it, less can be said."""
    welcome = rights.rights("list", _WELCOME, asked.namespace)
    if asked.ref.kind == "StatefulSet":
        welcome += rights.rights("list watch", [_CLAIM], asked.namespace)
    return welcome


def from_cluster(
    asked: Asked,
    cluster: ExistingCluster,
    standard_input: Callable[[], str],
    *,
    twin: bool,
    is_inside: bool = False,
) -> Prepared:
    """Read the workload and what stands beside it; changes nothing.

    `is_inside`: this process runs in that cluster.

    Raises `ClusterError` naming every right that the account lacks, `UsageError`.
    """
    if asked.manifests:
        raise UsageError(
            "on an existing cluster what runs there is what is rolled out",
            subject="--manifest",
            seen=", ".join(asked.manifests),
            next_step="leave it out; --to names the manifests that it is changed to",
        )
    kube, namespace = cluster.kube, asked.namespace
    rights.require(kube, rights_needed(asked, twin=twin), purpose="this rollout")
    notes: list[str] = []
    beside = _beside(asked, cluster, notes.append)
    sees_claims = _sees_claims(asked, cluster, notes.append)
    applied, further = change_from_manifests(asked, standard_input)
    if further:
        names = ", ".join(str(each.ref) for each in further)
        notes.append(f"of --to only the workload is applied here, not {names}")
    found = prepared(
        asked,
        before=workload(kube, asked.ref).read(),
        beside=beside,
        applied=applied,
        notes=notes,
        sees_nodes=False,
        sees_claims=sees_claims,
        is_inside=is_inside,
    )
    if found.entry.twin is not None and not twin:
        raise UsageError(
            "has no node port, so nothing outside of the cluster reaches it",
            subject=f"Service {namespace}/{found.entry.service}",
            seen=f"its port {found.entry.port} is inside the cluster only",
            next_step="--allow-twin makes a NodePort Service beside it for the time of the run; or "
            "run chaoskit against a Service of type NodePort",
        )
    return found


def _beside(asked: Asked, cluster: ExistingCluster, note: Say) -> list[Object]:
    """What stands beside the workload, as far as the account may list it."""
    kube, namespace = cluster.kube, asked.namespace
    found: list[Object] = kube.list("Service", namespace)
    for right in rights.rights("list", _WELCOME, namespace):
        if rights.has(kube, right):
            found += kube.list(right.kind, namespace)
        else:
            note(f"the account may not list {right.kind}s: what they promise is not known")
    return found


def _sees_claims(asked: Asked, cluster: ExistingCluster, note: Say) -> bool:
    sees = _CLAIM in cluster.watchable
    if asked.ref.kind == "StatefulSet" and not sees:
        note(f"the account may not list and watch {_CLAIM}s: what becomes of them is not known")
    return sees


class Existing:
    """A namespace of a cluster that somebody else runs."""

    def __init__(
        self, prepared: Prepared, cluster: ExistingCluster, book: SessionBook, say: Say
    ) -> None:
        self._prepared = prepared
        self._cluster = cluster
        self._book = book
        self._say = say
        self._driver: Driver | None = None
        self._has_twin = False
        book.facts = cluster.facts

    def stage(self) -> Stage:
        """See that it runs, make the twin where that was allowed, and find the ways in."""
        asked, kube = self._prepared.asked, self._cluster.kube
        self._driver = prepare_driver()
        self._say(f"waiting for {asked.ref}")
        workload(kube, asked.ref).wait_ready(_READY_WITHIN_S)
        twin = self._prepared.entry.twin
        if twin is not None:
            self._say(f"making Service {twin['metadata']['name']} for the time of the run")
            self._has_twin = True
            kube.apply(twin)
        entry = self._prepared.entry
        service = Service.named(kube, asked.namespace, entry.name)
        if not entry.is_inside:
            return _Stage(self._prepared, self._cluster, service, _entries(self._cluster, service))
        service = replace(service, inside_port=entry.port)
        return _Stage(self._prepared, self._cluster, service, [_own_address(service)])

    def begin(self, *, nodeid: str, title: str, description: str, rows: Sequence[str]) -> Run:
        """Start recording."""
        asked = self._prepared.asked
        assert self._driver is not None  # made by `stage`
        setup = RunSetup(
            folder=self._book.folder / slug_of(nodeid),
            run_id=self._book.folder.name,
            scenario=nodeid,
            title=title,
            description=description,
            rows=rows,
            seed=asked.options.seed,
            namespace=asked.namespace,
            profile="unknown",
            command=asked.command,
        )
        return Run.start(setup, self._cluster, Equipment(self._driver))

    def collect_logs(self, nodeid: str) -> None:
        """None: the components belong to somebody else."""

    def close(self) -> None:
        """Take back the twin, end the driver, let go of the cluster."""
        try:
            if self._has_twin:
                asked = self._prepared.asked
                self._cluster.kube.delete("Service", self._prepared.entry.name, asked.namespace)
                self._say(f"deleted Service {self._prepared.entry.name}")
        finally:
            if self._driver is not None:
                self._driver.close()
            self._cluster.close()


def _entries(cluster: ExistingCluster, service: Service) -> list[Node]:
    """The nodes whose node port can be reached from here. Raises `ClusterError` for none."""
    port = service.node_port
    nodes = cluster.nodes

    def reached() -> list[Node]:
        return [node for node in nodes if _accepts(node.address, port)]

    try:
        return wait_seen(
            lambda: reached() or None,
            what=f"a node to accept connections at port {port}",
            timeout_s=10.0,
            seen=lambda: ", ".join(f"{node.name} at {node.address}" for node in nodes),
        )
    except Exception as error:
        raise ClusterError(
            "cannot be reached from here",
            subject=str(service.ref),
            seen=str(error),
            next_step="run chaoskit where the nodes' addresses are reachable: on a node, in a pod "
            "of the cluster, or behind its VPN",
        ) from error


def _own_address(service: Service) -> "_ClusterAddress":
    """The Service's own address, once connections are accepted there. Raises `ClusterError`."""
    address, _ = service.cluster_address
    port = service.client_port
    try:
        wait_seen(
            lambda: _accepts(address, port),
            what=f"connections to be accepted at {address}:{port}",
            timeout_s=10.0,
            seen=service.endpoints,
        )
    except Exception as error:
        raise ClusterError(
            "cannot be reached from this pod",
            subject=str(service.ref),
            seen=str(error),
            next_step="see its ready endpoints, and NetworkPolicies between this pod's namespace "
            "and that one",
        ) from error
    return _ClusterAddress(address)


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_ACCEPTED_WITHIN_S):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class _ClusterAddress:
    """The way in from inside: no node is chosen, the one that this pod runs on forwards."""

    address: str
    name: str = "cluster-address"


@dataclass(frozen=True)
class _Stage:
    prepared: Prepared
    cluster: ExistingCluster
    service: Service
    entries: Sequence[Way]

    def wait_answering(self, *, timeout_s: float) -> None:
        """The entries were reached already."""

    def apply_beside(self) -> None:
        """Nothing: an existing cluster gets the change of the workload alone."""

    def rolled(self, run: Run) -> Rolled:
        return workload(self.cluster.kube, self.prepared.asked.ref, run.steps)
