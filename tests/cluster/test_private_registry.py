"""A private registry beside the nodes: pulls that need a password, and all that can go wrong."""

import dataclasses
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaoskit.cluster import images
from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch.private_registry import FILE
from chaoskit.cluster.registry import Registry
from chaoskit.errors import ClusterError, FaultError, ImageError
from chaoskit.faults import RegistryRefusing, RegistryStopped
from chaoskit.kube.client import Kube
from chaoskit.kube.refusal import Transient
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.clusters import SMALL, things

pytestmark = pytest.mark.alone  # the registry, which others use too, stops and refuses

SPECIMENS = ("chaoskit/specimen:v1", "chaoskit/specimen:v2")
#: A pull that fails shows within a second or two; how long until the back-off shows is the
#: kubelet's next look at the pod.
REASON_WITHIN_S = 60.0
#: The kubelet tries again after 10 s, then 20 s, counted from the last failure.
RECOVERED_WITHIN_S = 60.0


class Pulls:
    """Pods in one namespace whose image is in the registry."""

    def __init__(self, kube: Kube, namespace: str, node: ContainerNode, registry: Registry) -> None:
        self.kube = kube
        self.namespace = namespace
        self.node = node
        self.registry = registry

    def tag(self, version: str) -> str:
        """A tag of a repository that no other test uses."""
        return f"{self.namespace}/app:{version}"

    def pod(
        self,
        name: str,
        version: str,
        *,
        secret: str | None = None,
        policy: str = "Always",
        image: str | None = None,
    ) -> str:
        """Create a pod that pulls that version (or another image); its uid."""
        image = image or self.registry.reference(self.tag(version))
        spec: dict[str, Any] = {
            "nodeName": self.node.name,
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": image, "imagePullPolicy": policy}],
        }
        if secret is not None:
            spec["imagePullSecrets"] = [{"name": secret}]
        made = self.kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": spec,
            }
        )
        return str(made["metadata"]["uid"])

    def status(self, name: str) -> dict[str, Any]:
        """The status of the pod's one container; empty before there is any."""
        statuses = self.kube.get("Pod", name, self.namespace)["status"].get("containerStatuses")
        return statuses[0] if statuses else {}

    def wait_reason(self, name: str, reason: str) -> str:
        """Wait until the container waits for that reason; its message."""
        waiting: dict[str, Any] = {}

        def seen() -> bool:
            waiting.clear()
            waiting.update(self.status(name).get("state", {}).get("waiting", {}))
            return waiting.get("reason") == reason

        what = f"pod {name} to show {reason}"
        wait_until(seen, what=what, timeout_s=REASON_WITHIN_S, seen=lambda: waiting)
        return str(waiting["message"])

    def wait_refused(self, name: str, *words: str) -> None:
        """Wait for both reasons of a failed pull, each with a message that has one of the words."""
        for reason in ("ErrImagePull", "ImagePullBackOff"):
            message = self.wait_reason(name, reason)
            assert any(word in message for word in words), f"{reason}: {message}"

    def wait_runs(self, name: str, uid: str, *, timeout_s: float = RECOVERED_WITHIN_S) -> None:
        """Wait until the very same pod runs, without a restart."""

        def runs() -> bool:
            pod = self.kube.get("Pod", name, self.namespace)
            assert pod["metadata"]["uid"] == uid
            return "running" in self.status(name).get("state", {})

        what = f"pod {name} to run"
        wait_until(runs, what=what, timeout_s=timeout_s, seen=lambda: self.status(name))
        assert self.status(name)["restartCount"] == 0

    def revision(self, name: str) -> str:
        """Which version of the specimen answers in that pod: a moment after it began to run."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}:8080/proxy/"

        def answer() -> str | None:
            try:
                return str(json.loads(self.kube.raw_get(path))["revision"])
            except Transient:  # its process does not listen yet
                return None

        return wait_until(answer, what=f"pod {name} to answer", timeout_s=10.0)


def restart_with(cluster: K3sCluster, node: ContainerNode, registries: str) -> None:
    """Start a node again with another registries.yaml."""
    content = registries.encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(Path(FILE).name)
        member.size, member.mode = len(content), 0o600
        archive.addfile(member, io.BytesIO(content))
    cluster.client.api.put_archive(node.name, str(Path(FILE).parent), packed.getvalue())
    node.stop(timeout_s=20)
    node.wait_not_ready(timeout_s=60)
    node.start()
    node.wait_ready(timeout_s=90)


@pytest.fixture
def pulls(cluster: K3sCluster, registry: Registry, namespace: Namespace) -> Iterator[Pulls]:
    """With version v1 in the registry, and the Secret `registry` with the right password."""
    made = Pulls(cluster.kube, namespace.name, cluster.nodes[-1], registry)
    registry.push(SPECIMENS[0], made.tag("v1"))
    cluster.kube.create(registry.pull_secret(namespace.name))
    yield made
    registry.heal("stopped")
    registry.heal("refusing")


def test_who_names_a_secret_pulls_and_who_names_none_is_refused(pulls: Pulls) -> None:
    uid = pulls.pod("known", "v1", secret="registry")
    pulls.pod("stranger", "v1")
    pulls.wait_runs("known", uid)
    # The runtime has nothing to answer the registry's 401 with, and says that instead of the 401.
    pulls.wait_refused("stranger", "authorization failed: no basic auth credentials")


@pytest.mark.long
def test_an_image_on_the_node_is_no_way_around_the_password(pulls: Pulls) -> None:
    """Kubelets check again who may use an image that was pulled with a Secret (since v1.35)."""
    pulls.wait_runs("known", pulls.pod("known", "v1", secret="registry", policy="IfNotPresent"))
    pulls.pod("stranger", "v1", policy="IfNotPresent")
    pulls.wait_refused("stranger", "no basic auth credentials")


def test_a_private_pull_shuts_nobody_off_from_the_image_it_was_pushed_from(pulls: Pulls) -> None:
    """The kubelet remembers by content what needs a password: what is pushed has its own."""
    pulls.wait_runs("known", pulls.pod("known", "v1", secret="registry"))
    uid = pulls.pod("local", "v1", image=SPECIMENS[0], policy="IfNotPresent")
    pulls.wait_runs("local", uid, timeout_s=30)


@pytest.mark.long
def test_a_wrong_password_is_named_in_the_message(pulls: Pulls) -> None:
    wrong = pulls.registry.pull_secret(pulls.namespace, "wrong", password="not it")
    pulls.kube.create(wrong)
    pulls.pod("wrong", "v1", secret="wrong")
    pulls.wait_refused("wrong", "401 Unauthorized")


@pytest.mark.long
def test_a_secret_that_comes_later_heals_the_pod_untouched(pulls: Pulls) -> None:
    uid = pulls.pod("early", "v1", secret="later")
    pulls.wait_refused("early", "no basic auth credentials")
    pulls.kube.create(pulls.registry.pull_secret(pulls.namespace, "later"))
    pulls.wait_runs("early", uid)


@pytest.mark.long
@pytest.mark.parametrize(
    "fault, word",
    [(RegistryStopped(), "connection refused"), (RegistryRefusing(), "401 Unauthorized")],
    ids=["stopped", "refusing"],
)
def test_pods_wait_while_the_registry_is_broken_and_run_when_it_is_back(
    pulls: Pulls, cluster: K3sCluster, fault: RegistryStopped | RegistryRefusing, word: str
) -> None:
    before = pulls.pod("before", "v1", secret="registry")
    pulls.wait_runs("before", before)
    fault.inject(cluster, heal_after_s=120)
    uid = pulls.pod("meanwhile", "v1", secret="registry")
    pulls.wait_refused("meanwhile", word)
    fault.heal(cluster)
    pulls.wait_runs("meanwhile", uid)
    pulls.wait_runs("before", before, timeout_s=1)


@pytest.mark.long
def test_a_tag_that_appears_is_pulled_without_anybody_touching_the_pod(pulls: Pulls) -> None:
    assert pulls.registry.tags(f"{pulls.namespace}/app") == ("v1",)
    uid = pulls.pod("early", "v2", secret="registry")
    pulls.wait_refused("early", "not found")
    pulls.registry.push(SPECIMENS[1], pulls.tag("v2"))
    pulls.wait_runs("early", uid)
    assert pulls.revision("early") == "v2"


@pytest.mark.long
def test_a_tag_pushed_again_reaches_only_who_always_pulls(pulls: Pulls) -> None:
    def run(name: str, policy: str) -> tuple[str, str]:
        uid = pulls.pod(name, "stable", secret="registry", policy=policy)
        pulls.wait_runs(name, uid)
        return pulls.revision(name), str(pulls.status(name)["imageID"]).rpartition("@")[2]

    first = pulls.registry.push(SPECIMENS[0], pulls.tag("stable"))
    assert run("first", "Always") == ("v1", first)
    second = pulls.registry.push(SPECIMENS[1], pulls.tag("stable"))
    assert second == pulls.registry.digest(pulls.tag("stable")) != first
    assert run("keeps", "IfNotPresent") == ("v1", first)
    assert run("follows", "Always") == ("v2", second)
    assert run("follows-too", "IfNotPresent") == ("v2", second)
    assert pulls.revision("first") == "v1"


@pytest.mark.long
def test_a_tag_taken_away_is_gone_and_may_be_taken_away_again(pulls: Pulls) -> None:
    for _ in range(2):
        pulls.registry.delete(pulls.tag("v1"))
    assert pulls.registry.tags(f"{pulls.namespace}/app") == ()
    with pytest.raises(ClusterError, match="could not do it: digest"):
        pulls.registry.digest(pulls.tag("v1"))
    with pytest.raises(ImageError, match="chaoskit/none:1"):
        pulls.registry.push("chaoskit/none:1", pulls.tag("none"))


@pytest.mark.long
def test_any_other_process_heals_it(pulls: Pulls, cluster: K3sCluster) -> None:
    script = (
        "import sys\n"
        "from chaoskit.cluster.k3s_provider import K3sProvider\n"
        "from chaoskit.faults.catalogue import fault_of\n"
        "cluster = K3sProvider().find(sys.argv[1])\n"
        "for name in sys.argv[2:]: fault_of(name, {}).heal(cluster)\n"
    )
    faults = (RegistryStopped(), RegistryRefusing())
    for fault in faults:
        fault.inject(cluster, heal_after_s=120)
    assert [fault.is_effective(cluster) for fault in faults] == [True, False]
    argv = [sys.executable, "-c", script, cluster.name, *(fault.name for fault in reversed(faults))]
    subprocess.run(argv, check=True, timeout=60)
    assert not any(fault.is_effective(cluster) for fault in faults)
    assert pulls.registry.answer_to(cluster.nodes[0]).status == 200


@pytest.mark.long
def test_a_node_whose_registries_yaml_has_the_password_pulls_for_everybody(
    pulls: Pulls, cluster: K3sCluster
) -> None:
    """The file is read when the node starts, and what is made of it is private."""
    node, account = pulls.node, pulls.registry.account()
    before = node.execute(["cat", FILE], timeout_s=10).stdout
    login = {"auth": {"username": account.username, "password": account.password}}
    with_login = {**yaml.safe_load(before), "configs": {pulls.registry.address: login}}
    try:
        restart_with(cluster, node, yaml.safe_dump(with_login))
        pulls.wait_runs("known", pulls.pod("known", "v1"))
        config = "/var/lib/rancher/k3s/agent/etc/containerd"
        asked = ["sh", "-c", f"stat -c %a {config}/config.toml; cat {config}/certs.d/*/hosts.toml"]
        told = node.execute(asked, timeout_s=10).stdout
        assert told.startswith("600\n")
        assert f"http://{pulls.registry.address}" in told
        assert account.password not in told
    finally:
        restart_with(cluster, node, before)
    pulls.pod("stranger", "v1")
    pulls.wait_refused("stranger", "no basic auth credentials")


@pytest.mark.long
@pytest.mark.parametrize("fault", [RegistryStopped(), RegistryRefusing()])
def test_it_heals_by_itself_when_nobody_does(
    pulls: Pulls, cluster: K3sCluster, fault: RegistryStopped | RegistryRefusing
) -> None:
    fault.inject(cluster, heal_after_s=1)
    assert fault.is_effective(cluster)
    wait_until(
        lambda: not fault.is_effective(cluster),
        what=f"{fault.name} to heal by itself",
        timeout_s=10,
    )


def test_passwords_stand_in_no_label_log_or_command_line(pulls: Pulls, cluster: K3sCluster) -> None:
    account = pulls.registry.account()
    assert account.password not in repr(account)
    name = f"{cluster.name}-registry"
    inspected = [*cluster.node_inspections(), cluster.client.api.inspect_container(name)]
    assert account.password not in json.dumps(inspected)
    assert account.password.encode() not in cluster.client.api.logs(name)
    for node in cluster.nodes:
        command = ["sh", "-c", "stat -c %a /etc/rancher/k3s/registries.yaml; ps ax -o args"]
        told = node.execute(command, timeout_s=10).stdout
        assert told.startswith("600\n")
        assert account.password not in told


@pytest.mark.long
def test_a_cluster_without_one_is_left_alone_and_one_goes_with_its_cluster(
    provider: K3sProvider, name: str
) -> None:
    cluster = provider.start(dataclasses.replace(SMALL, name=name))
    for fault in (RegistryStopped(), RegistryRefusing()):
        fault.heal(cluster)
        assert not fault.is_effective(cluster)
        with pytest.raises(FaultError, match="no private registry to break"):
            fault.inject(cluster, heal_after_s=60)
    assert cluster.registry is None
    (image,) = images.ensure(provider.client, ("registry",))["registry"]
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda _: cluster.start_registry(image), range(4)))
    assert len({each.address for each in several}) == 1
    assert several[0].push("chaoskit/specimen:v1", "app:v1") == several[1].digest("app:v1")
    provider.stop(cluster)
    assert things(provider, name) == []
