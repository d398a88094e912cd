"""`chaoskit rollout` on manifests that were not written for it, and on a cluster that is there."""

import base64
import io
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import msgspec
import pytest
import yaml

from chaoskit import cli
from chaoskit.cli import statuses
from chaoskit.cluster import engine
from chaoskit.cluster.existing import ExistingProvider
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import ClusterError, UsageError
from chaoskit.faults.pod.pod_deleted import PodDeleted
from chaoskit.guarantees.judge import Judgement
from chaoskit.history.events import Watched
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.load.driver import prepare
from chaoskit.run import Run, RunSetup
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image
from tests.unit.rollout.manifests import Object, changed, service, sound_deployment

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "rollout-examples"
SECRET = "not-for-any-record-0b5f"


@dataclass(frozen=True)
class Told:
    """What a rollout ended with: status, output, and the record of it."""

    status: int
    output: str
    folder: Path

    @property
    def record(self) -> RecordFolder:
        (only,) = self.folder.glob("*/*/run.json")
        return RecordFolder(only.parent)

    @property
    def outcomes(self) -> dict[str, str]:
        verdicts = self.record.verdicts(Judgement).verdicts
        return {each.guarantee: each.outcome.value for each in verdicts}

    def outcomes_of(self, guarantee: str) -> list[str]:
        """Of one that is judged several times, in the order of what it was judged on."""
        verdicts = self.record.verdicts(Judgement).verdicts
        return [each.outcome.value for each in verdicts if each.guarantee == guarantee]


@pytest.fixture
def rollout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Runs `chaoskit rollout`, with its reports in a folder of the test's own."""

    def run(*arguments: str) -> Told:
        reports = tmp_path / "reports"
        shutil.rmtree(reports, ignore_errors=True)
        status = cli.run(["rollout", *arguments, "--report-dir", str(reports)])
        captured = capfd.readouterr()
        return Told(status, captured.out + captured.err, reports)

    return run


def written(folder: Path, *objects: Object) -> str:
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


def specimen_deployment(**changes: Any) -> Object:
    """The sound Deployment with an image that there is."""
    made = changed(sound_deployment(), "spec.template.spec.containers.0.image", image("v1"))
    made = changed(made, "spec.template.spec.topologySpreadConstraints", None)
    for path, value in changes.items():
        made = changed(made, path.replace("__", "."), value)
    return made


def test_sound_manifests_hold_and_secrets_are_nowhere(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token"},
        "stringData": {"token": SECRET},
    }
    file = written(tmp_path, specimen_deployment(), service(), secret)
    told = rollout("deployment/web", "-n", "shop", "--image", f"web={image('v2')}", "-f", file)
    assert told.status == 0, told.output
    assert "at most 4 pods, at least 3 available" in told.output
    assert set(told.outcomes.values()) == {"HELD"}
    assert "no_request_lost" in told.outcomes
    history = History.open(told.record.path)
    kinds = {event.kind for event in history.of(Watched)}
    assert "Deployment" in kinds
    assert "Secret" not in kinds
    whole = b"".join(msgspec.json.encode(event) for event in history.events)
    assert SECRET.encode() not in whole
    for path in told.folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def test_a_version_that_never_gets_ready_is_violated_and_undone(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    before = specimen_deployment(spec__progressDeadlineSeconds=15)
    sick = {"exec": {"command": ["/specimen", "exit", "1"]}}
    after = changed(before, "spec.template.spec.containers.0.readinessProbe", sick)
    file = written(tmp_path, before, service())
    (tmp_path / "after.json").write_text(json.dumps(after))
    to = str(tmp_path / "after.json")
    told = rollout("deployment/web", "-n", "shop", "--to", to, "-f", file, "--undo")
    assert told.status == 1, told.output
    assert told.outcomes_of("rollout_completes_within") == ["VIOLATED", "HELD"]  # then undone
    assert told.outcomes["undo_restores"] == "HELD"
    assert told.outcomes["progress_deadline_reported"] == "HELD"
    assert told.outcomes["no_request_lost"] == "HELD"
    assert "The change was undone." in told.output


def test_members_are_rolled_out_in_order_each_with_its_claim(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    file = written(tmp_path, *specimen_manifests.kv("shop", "kv"))
    told = rollout("sts/kv", "-n", "shop", "--image", image("v2"), "-f", file)
    assert told.status == 0, told.output
    judged = {"ordinals_in_order", "one_process_per_identity", "claims_stay", "no_request_lost"}
    assert judged <= told.outcomes.keys()


def test_a_daemon_on_each_node_from_standard_input(
    rollout: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemons = specimen_deployment(kind="DaemonSet", spec__progressDeadlineSeconds=None)
    for field in ("strategy", "replicas"):
        daemons = changed(daemons, f"spec.{field}", None)
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump_all([daemons, service()])))
    told = rollout("ds/web", "-n", "shop", "--restart", "-f", "-")
    assert told.status == 0, told.output
    assert told.outcomes["daemon_set_bounds"] == "HELD"
    assert told.outcomes["no_request_lost"] == "HELD"


@pytest.mark.parametrize("name, workload", [("guestbook-frontend", "frontend"), ("podinfo",) * 2])
def test_manifests_that_were_not_written_for_chaoskit(
    rollout: Callable[..., Told], name: str, workload: str
) -> None:
    file = str(EXAMPLES / f"{name}.yaml")
    told = rollout(f"deployment/{workload}", "--image", image("v2"), "-f", file)
    assert told.status == 0, told.output
    assert "that no request fails is not promised" in told.output
    assert "no_request_lost" not in told.outcomes
    assert "measured no request lost in phase rollout by connection new" in told.output


SHOPPERS = """
from locust import FastHttpUser, constant, task

class Shopper(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/")
"""
ARCHIVED = "shop.example/web:next"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An image of version 2 by a name of the user's own, in a tar and not in the engine."""
    file = tmp_path / "web.tar"
    with closing(docker.DockerClient(base_url=engine.require().endpoint)) as client:
        client.images.get(image("v2")).tag(ARCHIVED)
        try:
            with file.open("wb") as into:
                for piece in client.images.get(ARCHIVED).save(named=ARCHIVED):
                    into.write(piece)
        finally:
            client.images.remove(ARCHIVED, noprune=True)
    return file


def test_an_image_from_an_archive_under_the_users_own_load(
    rollout: Callable[..., Told], archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "locustfile.py").write_text(SHOPPERS)
    file = written(tmp_path, specimen_deployment(), service())
    change = ("--image", f"web={ARCHIVED}", "--image-archive", str(archive))
    load = ("--locustfile", str(tmp_path / "locustfile.py"), "--users", "4")
    claims = ("--at-least", "0.99", "--versions", "v1,v2")
    told = rollout("deployment/web", "-n", "shop", "-f", file, *change, *load, *claims)
    assert told.status == 0, told.output
    assert "closed loop" in told.output
    assert told.outcomes["availability"] == "HELD"
    assert told.outcomes["only_versions"] == "HELD"
    told = rollout("deployment/web", "-n", "shop", "-f", file, *change, *load, "--versions", "v1")
    assert told.status == 1, told.output
    assert told.outcomes["only_versions"] == "VIOLATED"


@dataclass(frozen=True)
class Account:
    """A service account of one namespace, and a kubeconfig of it."""

    cluster: K3sCluster
    namespace: Namespace
    kubeconfig: Path

    def allow(self, *rules: tuple[str, str, str]) -> None:
        """Let it do exactly this: API group, resources, verbs."""
        kube, name = self.cluster.kube, self.namespace.name
        metadata = {"name": "limited", "namespace": name}
        kube.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": metadata,
                "rules": [
                    {"apiGroups": [group], "resources": what.split(), "verbs": verbs.split()}
                    for group, what, verbs in rules
                ],
            }
        )
        kube.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Role",
                    "name": "limited",
                },
                "subjects": [{"kind": "ServiceAccount", "name": "limited", "namespace": name}],
            }
        )


READING = (
    ("", "pods services events", "get list watch"),
    ("apps", "deployments replicasets", "get list watch"),
    ("discovery.k8s.io", "endpointslices", "get list watch"),
)
DELETING = (
    ("", "pods", "delete"),
    ("", "namespaces", "get"),
    ("", "configmaps", "get patch create delete"),
)
ROLLING = (*READING, ("apps", "deployments", "patch"))


@pytest.fixture
def account(cluster: K3sCluster, namespace: Namespace, tmp_path: Path) -> Account:
    kube = cluster.kube
    metadata = {"name": "limited", "namespace": namespace.name}
    kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    owner = {"kubernetes.io/service-account.name": "limited"}
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {**metadata, "annotations": owner},
        }
    )
    data = wait_until(
        lambda: kube.get("Secret", "limited", namespace.name).get("data"),
        what="the token of a service account",
        timeout_s=20,
        interval_s=0.2,
    )
    whole = yaml.safe_load(cluster.kubeconfig.read_text())
    token = base64.b64decode(data["token"]).decode()
    (of_admin,) = whole["contexts"]
    context = {"cluster": of_admin["context"]["cluster"], "user": "limited"}
    whole["users"] = [{"name": "limited", "user": {"token": token}}]
    whole["contexts"] = [{"name": "limited", "context": context}]
    whole.pop("current-context", None)
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(whole))
    return Account(cluster, namespace, file)


@pytest.fixture
def web(cluster: K3sCluster, namespace: Namespace) -> Web:
    """Three pods behind a Service with a node port: surge 1, none unavailable."""
    made = specimen.start_web(cluster.kube, specimen_manifests.web(namespace.name, "web"))
    made.deployment.wait_complete(90.0)
    made.service.wait_answering(timeout_s=15)
    return made


def asked(account: Account, workload: str = "deployment/web") -> tuple[str, ...]:
    place = ("--context", "limited", "--kubeconfig", str(account.kubeconfig))
    return (workload, "-n", account.namespace.name, "--image", image("v2"), *place)


def test_what_the_account_lacks_is_said_before_anything_is_touched(
    rollout: Callable[..., Told], account: Account, web: Web
) -> None:
    account.allow(*READING)
    before = web.deployment.read()["metadata"]["generation"]
    told = rollout(*asked(account))
    assert told.status == 4, told.output
    assert f"patch deployments in namespace {account.namespace.name}" in told.output
    assert "nothing was touched" in told.output
    assert web.deployment.read()["metadata"]["generation"] == before


def test_another_namespace_is_refused_though_the_context_is_named(
    rollout: Callable[..., Told], account: Account, web: Web
) -> None:
    account.allow(*ROLLING)
    elsewhere = Namespace.create(account.cluster.kube, "other")
    try:
        arguments = list(asked(account))
        arguments[2] = elsewhere.name
        told = rollout(*arguments)
        assert told.status == 4, told.output
        assert f"list pods in namespace {elsewhere.name}" in told.output
        provider = ExistingProvider(account.kubeconfig, "limited", account.namespace.name)
        there = provider.start(ClusterSpec())
        with pytest.raises(UsageError, match="only namespace"):
            there.kube.list("Pod", elsewhere.name)
        provider.stop(there)
    finally:
        elsewhere.delete()


def test_a_limited_account_rolls_out_under_load_and_a_fault_stays_in_its_namespace(
    rollout: Callable[..., Told], account: Account, web: Web, tmp_path: Path
) -> None:
    account.allow(*ROLLING)
    told = rollout(*asked(account))
    assert told.status == 0, told.output
    assert told.outcomes["rollout_bounds"] == "HELD"
    assert told.outcomes["no_request_lost"] == "HELD"

    provider = ExistingProvider(account.kubeconfig, "limited", account.namespace.name)
    there = provider.start(ClusterSpec())
    driver = prepare()
    setup = RunSetup(
        folder=tmp_path / "fault",
        run_id="existing",
        scenario="existing",
        title="",
        description="",
        rows=(),
        seed=1,
        namespace=account.namespace.name,
        profile="unknown",
        command="",
    )
    run = Run.start(setup, there, driver)
    try:
        victim = web.deployment.pods()[0].name
        foreign = PodDeleted("kube-system", victim)
        allowed = run.inject(foreign, allow=("foreign_namespace",))
        with pytest.raises(UsageError, match="not this run's own"), allowed:
            pass
        mine = PodDeleted(account.namespace.name, victim)
        with pytest.raises(ClusterError, match="delete configmaps"), run.inject(mine):
            pass
        assert victim in [pod.name for pod in web.deployment.pods()]
        account.allow(*ROLLING, *DELETING)
        with run.inject(mine):
            pass
        assert victim not in [pod.name for pod in web.deployment.pods()]
    finally:
        run.close()
        driver.close()
        provider.stop(there)


def test_a_fault_by_hand_stays_in_the_namespace_and_within_the_rights(
    account: Account, web: Web, capfd: pytest.CaptureFixture[str]
) -> None:
    account.allow(*READING)
    mine = account.namespace.name
    victim = web.deployment.pods()[0].name

    def inject(namespace: str) -> tuple[int, str]:
        place = ["--context", "limited", "--kubeconfig", str(account.kubeconfig), "-n", mine]
        target = f"{namespace}/{victim}"
        status = cli.run(["inject", "pod_deleted", target, "--for", "1s", *place])
        captured = capfd.readouterr()
        return status, captured.out + captured.err

    status, said = inject("kube-system")
    assert status == statuses.EXIT_USAGE
    assert "not this run's own" in said
    status, said = inject(mine)
    assert status == statuses.EXIT_ENVIRONMENT
    assert "delete configmaps" in said
    assert victim in [pod.name for pod in web.deployment.pods()]
    account.allow(*READING, *DELETING)
    status, said = inject(mine)
    assert status == 0, said
    assert "effective" in said
    assert "healed" in said
    assert victim not in [pod.name for pod in web.deployment.pods()]


def test_a_service_without_a_node_port_gets_a_twin_by_explicit_leave_alone(
    rollout: Callable[..., Told], account: Account, web: Web
) -> None:
    kube, mine = account.cluster.kube, account.namespace.name
    kube.delete("Service", "web", mine)
    port = {"name": "http", "port": 80, "targetPort": "http"}
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": mine},
            "spec": {"selector": {"app": "web"}, "ports": [port]},
        }
    )
    account.allow(*ROLLING, ("", "services", "patch create delete"))
    told = rollout(*asked(account))
    assert told.status == 2, told.output
    assert "--allow-twin" in told.output
    told = rollout(*asked(account), "--allow-twin")
    assert told.status == 0, told.output
    assert told.outcomes["no_request_lost"] == "HELD"
    assert [item["metadata"]["name"] for item in kube.list("Service", mine)] == ["web"]
