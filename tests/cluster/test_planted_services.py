"""Defects of workloads that clients notice: each is found and named, its sound twin is HELD."""

import urllib.request

import msgspec
import pytest

from chaoskit.guarantees import (
    availability,
    latency,
    no_container_restarted,
    no_request_lost,
    only_versions,
    outage,
    traffic_split,
)
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import MANAGED_BY
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.planting import Planting, twins

pytestmark = pytest.mark.long  # two workloads each, half a minute of load

NO_DRAIN = SpecimenPod(pre_stop_s=0, drain_s=0)


def control(service: Service, **fields: object) -> None:
    """Switch the behaviour of the one pod behind a Service."""
    host, port = next(iter(service.addresses().values()))
    asked = urllib.request.Request(
        f"http://{host}:{port}/control", data=msgspec.json.encode(fields), method="POST"
    )
    with urllib.request.urlopen(asked, timeout=5) as answer:
        assert answer.status == 200


def roll_out(planting: Planting, pod: SpecimenPod, version: str = "v2") -> None:
    """A rollout under load, from that pod to the same of another version."""
    web = planting.web(pod=pod)
    with planting.load(web.service) as load:
        web.deployment.set_image(specimen_manifests.image(version))
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=3)


@twins
def test_no_readiness_probe(planting: Planting, planted: bool) -> None:
    """No readiness probe: a pod is asked before it can answer."""
    settings = {"SPECIMEN_STARTUP_S": "4"}
    roll_out(planting, SpecimenPod(readiness=not planted, settings=settings))
    verdicts = planting.expect(planted, no_request_lost(connection="new"))
    if planted:
        first = verdicts["no_request_lost"].evidence.first
        assert first is not None
        assert "status" in first.text


@twins
def test_readiness_that_lies(planting: Planting, planted: bool) -> None:
    """A readiness probe that says yes while the pod still starts."""
    settings = {"SPECIMEN_STARTUP_S": "4"}
    if planted:
        settings["SPECIMEN_DEFECTS"] = "lie-ready"
    roll_out(planting, SpecimenPod(settings=settings))
    planting.expect(planted, no_request_lost(connection="new"))


@twins
def test_no_wait_before_the_end(planting: Planting, planted: bool) -> None:
    """No preStop wait and no drain: the pod is gone before the nodes know."""
    roll_out(planting, NO_DRAIN if planted else SpecimenPod())
    planting.expect(planted, no_request_lost(connection="new"))


@twins
def test_a_version_that_fails_after_a_few_requests(planting: Planting, planted: bool) -> None:
    """A version that fails after five requests, and only then says that it is not ready."""
    web = planting.web()
    change = {"name": "SPECIMEN_DEFECTS", "value": "fail-after=5" if planted else ""}
    with planting.load(web.service) as load:
        web.deployment.edit(
            {"spec": {"template": {"spec": {"containers": [
                {"name": specimen_manifests.CONTAINER, "env": [change]}
            ]}}}},
            detail="a defective version",
        )  # fmt: skip
        load.run_for(seconds=10)
    verdicts = planting.expect(planted, no_request_lost())
    if planted:
        first = verdicts["no_request_lost"].evidence.first
        assert first is not None
        assert "500" in first.text or "status" in first.text


@twins
def test_a_version_that_answers_errors(planting: Planting, planted: bool) -> None:
    """A version whose every answer is an error, though its probes are right."""
    web = planting.web(replicas=1)
    with planting.load(web.service) as load:
        load.run_for(seconds=3)
        control(web.service, status=500 if planted else 0)
        load.run_for(seconds=3)
    planting.expect(planted, availability(at_least=0.9))


@twins
def test_slow_answers(planting: Planting, planted: bool) -> None:
    """Answers that take 0.3 s where 0.2 s were promised."""
    web = planting.web(replicas=1)
    with planting.load(web.service) as load:
        control(web.service, pause_ms=300 if planted else 0)
        load.run_for(seconds=6)
    planting.expect(planted, latency(at_most_s=0.2, quantile=0.9))


@twins
def test_a_hang(planting: Planting, planted: bool) -> None:
    """A service that answers nobody, where half a second without an answer is allowed."""
    web = planting.web(replicas=1)
    with planting.load(web.service, answer_timeout_s=1.0) as load:
        load.run_for(seconds=2)
        control(web.service, hang=planted)
        load.run_for(seconds=5)
    planting.expect(planted, outage(at_most_s=0.5))


@twins
def test_a_process_that_ends_by_itself(planting: Planting, planted: bool) -> None:
    """A process that exits with 1 after a few seconds, and is started again."""
    web = planting.web(replicas=1)
    with planting.load(web.service) as load:
        control(web.service, exit_after_s=1 if planted else -1)
        load.run_for(seconds=6)
    verdicts = planting.expect(planted, no_container_restarted(web))
    if planted:
        first = verdicts["no_container_restarted"].evidence.first
        assert first is not None
        assert "exit code 1" in first.text


@twins
def test_a_memory_leak(planting: Planting, planted: bool) -> None:
    """A leak that reaches the container's limit: the kernel ends the process."""
    limits = {"resources": {"limits": {"memory": "96Mi"}}}
    web = planting.web(replicas=1)
    web.deployment.edit(
        {"spec": {"template": {"spec": {"containers": [
            {"name": specimen_manifests.CONTAINER, **limits}
        ]}}}},
        detail="a limit",
    )  # fmt: skip
    web.deployment.wait_complete(timeout_s=60)
    web.service.wait_answering(timeout_s=15)
    with planting.load(web.service, rate_per_s=50) as load:
        control(web.service, leak_mb_per_s=40 if planted else 0)
        load.run_for(seconds=8)
    verdicts = planting.expect(planted, no_container_restarted(web))
    if planted:
        first = verdicts["no_container_restarted"].evidence.first
        assert first is not None
        assert "OOMKilled" in first.text


@twins
def test_recreate_where_nobody_may_notice(planting: Planting, planted: bool) -> None:
    """Strategy Recreate on a Service that must not be away."""
    strategy = {"type": "Recreate"} if planted else None
    web = planting.web(strategy=strategy, pod=SpecimenPod(settings={"SPECIMEN_STARTUP_S": "2"}))
    with planting.load(web.service) as load:
        web.deployment.set_image(specimen_manifests.image("v2"))
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=3)
    planting.expect(planted, outage(at_most_s=0.5), no_request_lost(connection="new"))


@twins
def test_a_selector_that_is_too_wide(planting: Planting, planted: bool) -> None:
    """A Service's selector that takes another version's pods in."""
    web = planting.web()
    other = specimen_manifests.web(
        planting.namespace.name, "other", replicas=2, pod=SpecimenPod(version="v2")
    )
    planting.cluster.kube.apply(other[1])
    second = Deployment.named(planting.cluster.kube, planting.namespace.name, "other")
    second.wait_complete(timeout_s=60)
    with planting.load(web.service) as load:
        if planted:
            web.service.set_selector(MANAGED_BY)
        load.run_for(seconds=6)
    planting.expect(planted, only_versions(["v1"]))


@twins
def test_a_tag_that_was_pushed_again(planting: Planting, planted: bool) -> None:
    """One tag, two images: nodes that had the old one keep it (IfNotPresent)."""
    tag = "chaoskit/planted:latest"
    client = planting.cluster.client
    for node, version in zip(
        planting.cluster.nodes, ("v1", "v2" if planted else "v1", "v1"), strict=True
    ):
        client.images.get(specimen_manifests.image(version)).tag(tag)
        planting.cluster.load_image(tag, nodes=[node])
    spread = specimen_manifests.one_a_node("web")
    web = planting.web(pod=SpecimenPod(pod_spec=spread), max_surge=0, max_unavailable=1)
    web.deployment.set_image(tag)
    web.deployment.wait_complete(timeout_s=90)
    web.service.wait_answering(timeout_s=15)
    with planting.load(web.service) as load:
        load.run_for(seconds=5)
    client.images.remove(tag)
    planting.expect(planted, only_versions(["v1"]))


@twins
def test_a_canary_with_too_many_replicas(planting: Planting, planted: bool) -> None:
    """A canary meant for a tenth of the traffic that has half of the pods."""
    web = planting.web(replicas=2 if planted else 9)
    count = 2 if planted else 1
    canary = specimen_manifests.web(
        planting.namespace.name, "canary", replicas=count, pod=SpecimenPod(version="v2")
    )
    planting.cluster.kube.apply(canary[1])
    second = Deployment.named(planting.cluster.kube, planting.namespace.name, "canary")
    second.wait_complete(timeout_s=90)
    web.service.set_selector(MANAGED_BY)
    web.service.wait_endpoints(4 if planted else 10, timeout_s=30)
    with planting.load(web.service, rate_per_s=150, connections=("new",)) as load:
        load.run_for(seconds=10)
    planting.expect(planted, traffic_split({"v1": 0.9, "v2": 0.1}, tolerance=0.03))
