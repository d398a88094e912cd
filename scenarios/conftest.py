"""Workloads that scenarios share: the specimen as a web Deployment and as a key-value store."""

from collections.abc import Callable
from typing import Any

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.run import Run
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod


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
