"""A cluster that is there, through an account that may do little: rollouts and faults in it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from chaoskit import cli
from chaoskit.cli import statuses
from chaoskit.cluster.existing import ExistingProvider
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import ClusterError, UsageError
from chaoskit.faults.pod.pod_deleted import PodDeleted
from chaoskit.load.driver import prepare
from chaoskit.run import Equipment, Run, RunSetup
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image
from tests.cluster.rollouts import Told

pytestmark = pytest.mark.long


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
    run = Run.start(setup, there, Equipment(driver))
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
