"""The specimen as workloads: a stateless one behind a Service, and a key-value store."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from chaoskit import clock
from chaoskit.cluster.node import Node
from chaoskit.errors import KubernetesError
from chaoskit.history.events import StoreContents
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Objects
from chaoskit.workloads.daemon_set import DaemonSet
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen_member import Member
from chaoskit.workloads.stateful_set import StatefulSet
from chaoskit.workloads.steps import UNRECORDED, StepLog

_READ_TIMEOUT_S = 5.0

#: Node addresses are never behind a proxy, whatever the environment says.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Entry(msgspec.Struct, frozen=True):
    key: str
    value: str
    sequence: int
    boot: str


@dataclass(frozen=True, kw_only=True)
class Web:
    """The stateless specimen: `deployment` behind `service`."""

    deployment: Deployment
    service: Service

    @property
    def name(self) -> str:
        """The Deployment's name, as guarantees are told of it."""
        return self.ref.name

    @property
    def ref(self) -> ObjectRef:
        """The Deployment."""
        return self.deployment.ref


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """The stateless specimen on every node: `daemon_set` behind `service`."""

    daemon_set: DaemonSet
    service: Service

    @property
    def name(self) -> str:
        """The DaemonSet's name, as guarantees are told of it."""
        return self.ref.name

    @property
    def ref(self) -> ObjectRef:
        """The DaemonSet."""
        return self.daemon_set.ref


@dataclass(frozen=True, kw_only=True)
class KeyValue:
    """The specimen with its store: `stateful_set`, all members behind `service`."""

    stateful_set: StatefulSet
    service: Service

    @property
    def name(self) -> str:
        """The StatefulSet's name, as guarantees are told of it."""
        return self.ref.name

    @property
    def ref(self) -> ObjectRef:
        """The StatefulSet."""
        return self.stateful_set.ref

    def pod(self, ordinal: int) -> Pod:
        """The member of that ordinal."""
        return self.stateful_set.pod(ordinal)

    def pod_on(self, nodes: Iterable[Node]) -> Pod:
        """The member of the lowest ordinal that runs on one of these nodes, by its name.

        Which member that is, is the scheduler's choice. Raises `KubernetesError` when none does.
        """
        names = [node.name for node in nodes]
        found = {pod.name: pod.node_name for pod in self.stateful_set.pods()}
        for name, node_name in found.items():
            if node_name in names:
                return self.pod(int(name.rpartition("-")[2]))
        raise KubernetesError(
            f"has no member on {', '.join(names)}",
            subject=str(self.ref),
            seen=", ".join(f"{name} on {node_name}" for name, node_name in found.items()),
            next_step="more members, or a cluster with other nodes",
        )

    def member(self, ordinal: int) -> Member:
        """The member of that ordinal, to be asked directly."""
        return Member(pod=self.pod(ordinal))

    def member_service(self, ordinal: int) -> Service:
        """The Service of one member alone."""
        ref = ObjectRef("Service", self.ref.namespace, f"{self.ref.name}-{ordinal}")
        return Service(kube=self.stateful_set.kube, ref=ref, steps=self.stateful_set.steps)

    @property
    def headless_service(self) -> Service:
        """The governing Service, which gives members their names."""
        name = str(self.stateful_set.read()["spec"]["serviceName"])
        ref = ObjectRef("Service", self.ref.namespace, name)
        return Service(kube=self.stateful_set.kube, ref=ref, steps=self.stateful_set.steps)

    def wait_answering(self, timeout_s: float) -> None:
        """Wait until its Service and each member's accept connections on every node."""
        self.service.wait_answering(timeout_s)
        for ordinal in range(self.stateful_set.read()["spec"]["replicas"]):
            self.member_service(ordinal).wait_answering(timeout_s)

    def read_store(self, ordinal: int, *, via: str | None = None) -> StoreContents:
        """All that a member holds, read through its own Service on node `via` (None: its own node).

        Raises `KubernetesError` when it does not answer in full.
        """
        member = self.pod(ordinal)
        addresses = self.member_service(ordinal).addresses()
        host, port = addresses[via or member.node_name]
        url = f"http://{host}:{port}/kv"
        try:
            with _DIRECT.open(url, timeout=_READ_TIMEOUT_S) as answer:
                lines = answer.read().splitlines()
                pod_uid = answer.headers.get("X-Chaoskit-Pod-Uid", "")
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise KubernetesError(
                "did not give out its store",
                subject=str(member.ref),
                seen=f"{url}: {type(error).__name__}: {error}",
                next_step="see that the member is ready and this host reaches the node's address",
            ) from error
        entries = [msgspec.json.decode(line, type=_Entry) for line in lines]
        return StoreContents(
            time_ns=clock.now_ns(),
            member=member.name,
            pod_uid=pod_uid,
            entries=[(each.key, each.value, each.sequence, each.boot) for each in entries],
        )

    def wait_store(
        self, ordinal: int, *, timeout_s: float, via: str | None = None
    ) -> StoreContents:
        """`read_store`, as soon as the member answers: kube-proxy follows an endpoint late."""
        last: KubernetesError | None = None

        def attempt() -> StoreContents | None:
            nonlocal last
            try:
                return self.read_store(ordinal, via=via)
            except KubernetesError as error:
                last = error
                return None

        return wait_seen(
            attempt,
            what=f"{self.pod(ordinal).ref} to give out its store",
            timeout_s=timeout_s,
            seen=lambda: last,
            next_step="see that the member is ready and this host reaches the node's address",
        )


def start_web(kube: Kube, manifests: Objects, *, steps: StepLog = UNRECORDED) -> Web:
    """Apply `specimen_manifests.web(…)`; wait with `deployment.wait_ready`."""
    _apply_all(kube, manifests)
    ref = _only(manifests, "Deployment")
    return Web(
        deployment=Deployment(kube=kube, ref=ref, steps=steps),
        service=Service(kube=kube, ref=ObjectRef("Service", ref.namespace, ref.name), steps=steps),
    )


def start_daemon(kube: Kube, manifests: Objects, *, steps: StepLog = UNRECORDED) -> Daemon:
    """Apply `specimen_manifests.daemon(…)`; wait with `daemon_set.wait_ready`."""
    _apply_all(kube, manifests)
    ref = _only(manifests, "DaemonSet")
    return Daemon(
        daemon_set=DaemonSet(kube=kube, ref=ref, steps=steps),
        service=Service(kube=kube, ref=ObjectRef("Service", ref.namespace, ref.name), steps=steps),
    )


def start_kv(kube: Kube, manifests: Objects, *, steps: StepLog = UNRECORDED) -> KeyValue:
    """Apply `specimen_manifests.kv(…)`; wait with `stateful_set.wait_ready`."""
    _apply_all(kube, manifests)
    ref = _only(manifests, "StatefulSet")
    return KeyValue(
        stateful_set=StatefulSet(kube=kube, ref=ref, steps=steps),
        service=Service(kube=kube, ref=ObjectRef("Service", ref.namespace, ref.name), steps=steps),
    )


def _apply_all(kube: Kube, manifests: Objects) -> None:
    for item in manifests:
        kube.apply(item)


def _only(manifests: Objects, kind: str) -> ObjectRef:
    return next(ObjectRef.of(item) for item in manifests if item["kind"] == kind)
