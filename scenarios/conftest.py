"""Workloads that scenarios share: the specimen as a web Deployment and as a key-value store."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.run import Run
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Daemon, KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod
from chaoskit.workloads.static_pod import StaticPod
from chaoskit.workloads.steps import UNRECORDED


@pytest.fixture
def start_web(cluster: K3sCluster, namespace: Namespace, chaos: Run) -> Callable[..., Web]:
    """Starts stateless pods behind a Service, with the parameters of `specimen_manifests.web`."""

    def start(name: str = "web", **parameters: Any) -> Web:
        manifests = specimen_manifests.web(namespace.name, name, **parameters)
        started = specimen.start_web(cluster.kube, manifests, steps=chaos.steps)
        started.deployment.wait_complete(timeout_s=60)
        started.service.wait_answering(timeout_s=15)
        return started

    return start


@pytest.fixture
def web(start_web: Callable[..., Web]) -> Web:
    """Three stateless pods behind a Service: surge 1, none unavailable."""
    return start_web()


@pytest.fixture
def start_service(
    cluster: K3sCluster, namespace: Namespace, chaos: Run
) -> Callable[[str, dict[str, str]], Service]:
    """Starts a Service of its own in front of pods that are there already, by their labels."""

    def start(name: str, selector: dict[str, str]) -> Service:
        manifest = specimen_manifests.node_port_service(namespace.name, name, selector)
        service = Service.named(cluster.kube, namespace.name, name, chaos.steps)
        cluster.kube.apply(manifest)
        service.wait_answering(timeout_s=15)
        return service

    return start


@pytest.fixture
def start_kv(cluster: K3sCluster, namespace: Namespace, chaos: Run) -> Callable[..., KeyValue]:
    """Starts a key-value store, with the parameters of `specimen_manifests.kv`.

    Its members end at once when they are told to: scenarios without a claim about requests wait
    for no draining.
    """

    def start(name: str = "kv", **parameters: Any) -> KeyValue:
        at_once = SpecimenPod(pre_stop_s=0, drain_s=0)
        manifests = specimen_manifests.kv(namespace.name, name, **{"pod": at_once, **parameters})
        started = specimen.start_kv(cluster.kube, manifests, steps=chaos.steps)
        started.stateful_set.wait_complete(timeout_s=120)
        started.wait_answering(timeout_s=15)
        return started

    return start


@pytest.fixture
def kv(start_kv: Callable[..., KeyValue]) -> KeyValue:
    """Three members of a key-value store that drain, on volumes that follow them to any node."""
    return start_kv(pod=SpecimenPod())


@pytest.fixture
def soak_s(request: pytest.FixtureRequest) -> float:
    """How long a scenario of the marker soak goes on: --soak-minutes, in seconds."""
    return float(request.config.getoption("--soak-minutes")) * 60


@pytest.fixture
def daemon(cluster: K3sCluster, namespace: Namespace, chaos: Run) -> Daemon:
    """One stateless pod on each node, behind a Service."""
    manifests = specimen_manifests.daemon(namespace.name, "daemon")
    started = specimen.start_daemon(cluster.kube, manifests, steps=chaos.steps)
    started.daemon_set.wait_ready(timeout_s=60)
    started.service.wait_answering(timeout_s=15)
    return started


@pytest.fixture
def start_pod(cluster: K3sCluster, namespace: Namespace, chaos: Run) -> Callable[..., Pod]:
    """Starts a pod that belongs to no controller, on that node; `ready`: waits until it is."""

    def start(name: str, node: ContainerNode, *, ready: bool = True, **parameters: Any) -> Pod:
        shape = SpecimenPod(**parameters)
        manifest = specimen_manifests.bare(namespace.name, name, node=node.name, pod=shape)
        pod = Pod.of(cluster.kube, cluster.kube.create(manifest), chaos.steps)
        if ready:
            pod.wait_ready(timeout_s=30)
        return pod

    return start


@pytest.fixture
def start_static_pod(
    cluster: K3sCluster, namespace: Namespace, chaos: Run
) -> Iterator[Callable[[str, ContainerNode], StaticPod]]:
    """Starts a static pod of a node; its file is taken away at the end."""
    started: list[StaticPod] = []

    def start(name: str, node: ContainerNode) -> StaticPod:
        manifest = specimen_manifests.bare(namespace.name, name)
        ref = ObjectRef.of(manifest)
        pod = StaticPod(kube=cluster.kube, node=node, ref=ref, steps=chaos.steps)
        started.append(pod)
        pod.put(manifest)
        pod.mirror.wait_ready(timeout_s=30)
        return pod

    yield start
    for pod in started:
        replace(pod, steps=UNRECORDED).remove()  # the record is closed by now
