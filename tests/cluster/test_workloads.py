"""Workloads and the client's streams on a real cluster with nodes that run pods."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from chaoskit.errors import Hopeless, KubernetesError, UsageError, WaitTimeout
from chaoskit.kube import refusal
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.waiting import wait_until
from chaoskit.workloads import manifest, pod, specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace, left_behind
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

READY_TIMEOUT_S = 120
QUICK = SpecimenPod(pre_stop_s=0, drain_s=0, grace_s=5)

#: (verb, target, force, how it ended)
Marked = tuple[str, str, bool, str]


class KeptSteps:
    """A step log that keeps what it is told."""

    def __init__(self) -> None:
        self.marks: list[Marked] = []

    @contextmanager
    def step(
        self, name: str, target: ObjectRef, *, force: bool = False, detail: str = ""
    ) -> Iterator[None]:
        self.marks.append((name, str(target), force, "started"))
        try:
            yield
        except KubernetesError:
            self.marks.append((name, str(target), force, "failed"))
            raise
        self.marks.append((name, str(target), force, "done"))


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    made = Namespace.create(kube, "workloads")
    yield made.name
    made.delete()


@pytest.fixture
def steps() -> KeptSteps:
    return KeptSteps()


@pytest.fixture
def web(kube: Kube, namespace: str, steps: KeptSteps) -> Web:
    manifests = specimen_manifests.web(namespace, "web", replicas=2, pod=QUICK)
    started = specimen.start_web(kube, manifests, steps=steps)
    started.deployment.wait_ready(READY_TIMEOUT_S)
    return started


@pytest.fixture
def kv(kube: Kube, namespace: str, steps: KeptSteps) -> KeyValue:
    manifests = specimen_manifests.kv(namespace, "kv", replicas=2, pod=QUICK)
    started = specimen.start_kv(kube, manifests, steps=steps)
    started.stateful_set.wait_ready(READY_TIMEOUT_S)
    started.wait_answering(READY_TIMEOUT_S)
    return started


def wait_answer(service: Service, path: str, value: str | None = None) -> bytes:
    """The answer through any node, once kube-proxy has followed the endpoints."""
    host, port = next(iter(service.addresses().values()))
    body, method = (None, "GET") if value is None else (value.encode(), "PUT")
    asked = urllib.request.Request(f"http://{host}:{port}{path}", data=body, method=method)

    def attempt() -> bytes | None:
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                said: bytes = answer.read()
                return said
        except OSError:
            return None

    return wait_until(attempt, what=f"an answer of {service.ref}", timeout_s=20)


def identity(service: Service) -> Object:
    said: Object = msgspec.json.decode(wait_answer(service, "/"))
    return said


def write(service: Service, key: str, value: str) -> None:
    wait_answer(service, f"/kv/{key}", value)


def test_a_deployment_answers_rolls_and_comes_back(web: Web, steps: KeptSteps) -> None:
    web.service.wait_endpoints(2, 30)
    first = identity(web.service)
    names = {each.name for each in web.deployment.pods()}
    assert first["pod"] in names
    assert first["revision"] == "v1"

    web.deployment.set_image(specimen_manifests.image("v2"))
    web.deployment.wait_complete(READY_TIMEOUT_S)
    wait_until(
        lambda: identity(web.service)["revision"] == "v2", what="v2 alone to answer", timeout_s=10
    )
    assert not names & {each.name for each in web.deployment.pods()}

    web.deployment.undo()
    web.deployment.wait_complete(READY_TIMEOUT_S)
    wait_until(  # pods that drain may answer after completion
        lambda: identity(web.service)["revision"] == "v1", what="v1 to answer again", timeout_s=10
    )
    assert [each.number for each in web.deployment.history()] == [2, 3]

    ref = str(web.ref)
    assert steps.marks == [
        ("set_image", ref, False, "started"),
        ("set_image", ref, False, "done"),
        ("undo", ref, False, "started"),
        ("undo", ref, False, "done"),
    ]


def test_a_rollout_past_its_deadline_is_hopeless_and_undone(kube: Kube, namespace: str) -> None:
    manifests = specimen_manifests.web(
        namespace, "web", replicas=1, progress_deadline_s=5, pod=QUICK
    )
    deployment = specimen.start_web(kube, manifests).deployment
    deployment.wait_ready(READY_TIMEOUT_S)
    [kept] = deployment.pods()
    deployment.set_image("chaoskit/specimen:absent")
    with pytest.raises(Hopeless, match="progress deadline") as caught:
        deployment.wait_complete(60)
    assert "ImagePull" in str(caught.value)
    broken = next(each for each in deployment.pods() if each.uid != kept.uid)
    broken.wait_reason("ImagePullBackOff", "ErrImagePull", timeout_s=60)
    deployment.undo()
    deployment.wait_complete(READY_TIMEOUT_S)
    assert [each.uid for each in deployment.pods()] == [kept.uid]  # never touched


def test_a_pod_is_deleted_with_and_without_force(web: Web, steps: KeptSteps) -> None:
    first, second = web.deployment.pods()
    assert first.delete() == first.uid
    first.wait_gone(60)
    second.delete(force=True)
    second.wait_gone(5)  # at once: the API does not wait for the node
    web.deployment.wait_ready(READY_TIMEOUT_S)
    assert not {first.uid, second.uid} & {each.uid for each in web.deployment.pods()}
    assert ("delete", str(second.ref), True, "done") in steps.marks
    assert ("delete", str(first.ref), False, "done") in steps.marks


def test_a_pod_that_ignores_term_is_seen_terminating(kube: Kube, namespace: str) -> None:
    stubborn = SpecimenPod(pre_stop_s=0, grace_s=6, settings={"SPECIMEN_DEFECTS": "ignore-term"})
    manifests = specimen_manifests.web(namespace, "web", replicas=1, pod=stubborn)
    deployment = specimen.start_web(kube, manifests).deployment
    deployment.wait_ready(READY_TIMEOUT_S)
    [victim] = deployment.pods()
    victim.delete()
    assert pod.is_terminating(victim.wait_terminating(10))
    with pytest.raises(WaitTimeout, match="terminating since"):
        victim.wait_gone(1)
    victim.wait_gone(30)


@pytest.mark.long
def test_an_uid_protects_a_namesake(kv: KeyValue) -> None:
    before = kv.pod(1)
    old = before.delete(force=True)
    kv.pod(1).wait_ready(READY_TIMEOUT_S)
    stale = pod.Pod(kube=before.kube, ref=before.ref, uid=old)
    with pytest.raises(refusal.Conflict):
        stale.delete(force=True)
    stale.wait_gone(1)  # its own uid is gone, though the name is in use


def test_eviction_is_refused_while_a_budget_forbids_it(
    kube: Kube, namespace: str, web: Web
) -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }
    kube.apply(budget)
    wait_until(
        lambda: (
            kube.get("PodDisruptionBudget", "web", namespace)
            .get("status", {})
            .get("currentHealthy")
            == 2
        ),
        what="the budget to be counted",
        timeout_s=30,
    )
    victim = web.deployment.pods()[0]
    with pytest.raises(refusal.Transient, match="disruption budget") as caught:
        victim.evict()
    assert caught.value.status == 429
    kube.delete("PodDisruptionBudget", "web", namespace)
    victim.evict()
    victim.wait_gone(60)


def test_members_keep_what_they_acknowledged(kv: KeyValue) -> None:
    write(kv.member_service(1), "a", "1")
    write(kv.member_service(1), "b", "2")
    before = kv.read_store(1)
    assert [(key, value) for key, value, *_ in before.entries] == [("a", "1"), ("b", "2")]
    assert before.member == "kv-1"
    old_uid = kv.pod(1).delete()
    assert before.pod_uid == old_uid
    kv.pod(1).wait_gone(60, uid=old_uid)
    kv.pod(1).wait_ready(READY_TIMEOUT_S)
    kv.member_service(1).wait_endpoints(1, 30)
    other_node = next(name for name in kv.service.addresses() if name != kv.pod(1).node_name)
    after = kv.wait_store(1, via=other_node, timeout_s=20)
    assert after.entries == before.entries
    assert after.pod_uid != old_uid
    assert kv.read_store(0).entries == []


@pytest.mark.long
def test_a_partition_holds_the_lower_members_back(kv: KeyValue) -> None:
    kv.stateful_set.set_update_strategy("RollingUpdate", partition=1)
    kv.stateful_set.set_image(specimen_manifests.image("v2"))
    kv.stateful_set.wait_complete(READY_TIMEOUT_S)
    images = [each.read()["spec"]["containers"][0]["image"] for each in kv.stateful_set.pods()]
    assert images == [specimen_manifests.image("v1"), specimen_manifests.image("v2")]
    kv.stateful_set.set_update_strategy("RollingUpdate")
    kv.stateful_set.wait_complete(READY_TIMEOUT_S)
    assert len(kv.stateful_set.history()) == 2
    kv.stateful_set.scale(1)
    kv.pod(1).wait_gone(60)
    kv.stateful_set.wait_ready(READY_TIMEOUT_S)


def test_exec_gives_exit_code_and_output(web: Web, kube: Kube, namespace: str) -> None:
    name = web.deployment.pods()[0].name
    done = kube.exec(name, namespace, ["/specimen", "version"], timeout_s=10)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "v1\n", "")
    assert kube.exec(name, namespace, ["/specimen", "exit", "7"], timeout_s=10).exit_code == 7
    with pytest.raises(refusal.Refused, match="no such file") as caught:
        kube.exec(name, namespace, ["/absent"], timeout_s=10)
    assert not caught.value.transient
    with pytest.raises(refusal.Transient, match="still running"):
        kube.exec(name, namespace, ["/specimen", "sleep", "30"], timeout_s=1)
    with pytest.raises(refusal.NotFound):
        kube.exec("absent", namespace, ["/specimen"], timeout_s=10)
    assert "specimen v1" in kube.logs(name, namespace)


def test_execs_do_not_disturb_other_requests(web: Web, kube: Kube, namespace: str) -> None:
    """The package's own exec swaps the shared client's call for a WebSocket meanwhile."""
    name = web.deployment.pods()[0].name
    failures: list[Exception] = []
    over = threading.Event()

    def read_on() -> None:
        while not over.is_set():
            try:
                kube.get("Pod", name, namespace)
            except Exception as error:
                failures.append(error)
                return

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(10):
        assert kube.exec(name, namespace, ["/specimen", "version"], timeout_s=10).exit_code == 0
    over.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_a_users_manifest_is_checked_by_the_server_before_anything_is_applied(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "app.yaml"
    good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"
    path.write_text(f"{good}---\n{good.replace('good', 'bad')}datta: {{a: b}}\n")
    manifests = [each.in_namespace(namespace) for each in manifest.load(path)]
    with pytest.raises(UsageError, match="nothing was applied") as caught:
        manifest.require_valid(kube, manifests)
    for part in ("app.yaml", "document 2", "ConfigMap", "bad", "datta"):
        assert part in str(caught.value)
    assert kube.find("ConfigMap", "good", namespace) is None
    manifest.require_valid(kube, manifests[:1])
    assert kube.find("ConfigMap", "good", namespace) is None


def test_a_namespace_is_labelled_found_and_gone(kube: Kube) -> None:
    labels = {"chaoskit.dev/run": "namespace-test"}
    made = Namespace.create(kube, "brief", labels)
    assert [each.name for each in left_behind(kube, labels)] == [made.name]
    made.delete()
    made.wait_gone(60)
    made.delete()  # gone already is fine
    assert left_behind(kube, labels) == []
