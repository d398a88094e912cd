"""What launchers and users rely on in a node image, line by line of the k3s contract."""

import http.client
import json
import stat
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.kube.client import Kube
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace

IMAGE = "chaoskit/busybox:1"
MANIFESTS = "/var/lib/rancher/k3s/server/manifests"


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    made = Namespace.create(kube, "contract")
    yield made.name
    made.delete()


def pod(name: str, namespace: str, command: str, **spec: Any) -> dict[str, Any]:
    """A pod of one container that runs a shell command."""
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", command],
        **spec.pop("container", {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }


def wait_phase(kube: Kube, name: str, namespace: str, phase: str, timeout_s: float = 60) -> None:
    wait_until(
        lambda: kube.get("Pod", name, namespace)["status"].get("phase") == phase,
        what=f"pod {name} to be {phase}",
        timeout_s=timeout_s,
        seen=lambda: kube.get("Pod", name, namespace)["status"],
    )


def waiting_reason(kube: Kube, name: str, namespace: str) -> str:
    statuses = kube.get("Pod", name, namespace)["status"].get("containerStatuses") or [{}]
    return str(statuses[0].get("state", {}).get("waiting", {}).get("reason", ""))


def test_kubeconfig_is_private_and_reaches_the_published_port(cluster: K3sCluster) -> None:
    server = cluster.nodes[0]
    path = "/etc/rancher/k3s/k3s.yaml"
    mode = server.execute(["stat", "-c", "%a", path], timeout_s=10).stdout.strip()
    inside = yaml.safe_load(server.execute(["cat", path], timeout_s=10).stdout)
    outside = yaml.safe_load(cluster.kubeconfig.read_text())

    assert mode == "600"
    assert inside["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert [inside[kind][0]["name"] for kind in ("clusters", "users", "contexts")] == [
        "default"
    ] * 3
    bindings = server.inspect()["NetworkSettings"]["Ports"]["6443/tcp"]
    assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]
    published = f"https://127.0.0.1:{bindings[0]['HostPort']}"
    assert outside["clusters"][0]["cluster"]["server"] == published
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.kubeconfig.parent.stat().st_mode) == 0o700


def test_only_the_api_servers_port_is_published(cluster: K3sCluster) -> None:
    published = {
        row["Name"]: [port for port, hosts in row["NetworkSettings"]["Ports"].items() if hosts]
        for row in cluster.node_inspections()
    }
    ports = list(published.values())
    assert ports == [["6443/tcp"], *[[]] * (len(ports) - 1)]


def test_all_nodes_joined_with_their_fixed_addresses(cluster: K3sCluster, kube: Kube) -> None:
    seen = {
        node["metadata"]["name"]: [
            address["address"]
            for address in node["status"]["addresses"]
            if address["type"] == "InternalIP"
        ]
        for node in kube.list("Node")
    }
    assert seen == {node.name: [node.address] for node in cluster.nodes}
    assert len({node["spec"]["podCIDR"] for node in kube.list("Node")}) == len(cluster.nodes)


def test_a_stranger_without_the_token_cannot_join(cluster: K3sCluster) -> None:
    api = f"https://{cluster.nodes[0].address}:6443/api/v1/nodes"
    code = ["kubectl", "--insecure-skip-tls-verify", "--token", "wrong", "get", "--raw", api]
    done = cluster.nodes[-1].execute(
        [*code, "--server", api[: -len("/api/v1/nodes")]], timeout_s=20
    )
    assert done.exit_code != 0


def test_manifests_in_the_folder_are_applied_and_followed(
    cluster: K3sCluster, kube: Kube, namespace: str
) -> None:
    server = cluster.nodes[0]
    file = f"{MANIFESTS}/{namespace}.yaml"
    for value in ("first", "second"):
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "applied", "namespace": namespace},
            "data": {"value": value},
        }
        write = ["sh", "-c", f"printf '%s' '{json.dumps(manifest)}' > {file}"]
        assert server.execute(write, timeout_s=10).exit_code == 0
        wait_until(
            lambda value=value: (  # type: ignore[misc]
                (kube.find("ConfigMap", "applied", namespace) or {}).get("data", {}).get("value")
                == value
            ),
            what=f"the manifest to be applied with {value}",
            timeout_s=40,
        )
    assert server.execute(["rm", file], timeout_s=10).exit_code == 0


def test_an_image_loaded_later_runs_on_every_node_without_a_registry(
    cluster: K3sCluster, kube: Kube, namespace: str
) -> None:
    reference = f"chaoskit-test/{namespace}:1"
    cluster.client.images.get(IMAGE).tag(*reference.split(":"))
    try:
        cluster.load_image(reference)
    finally:
        cluster.client.images.remove(reference)
    for node in cluster.nodes:
        one = pod(node.name, namespace, "sleep 60", nodeName=node.name)
        one["spec"]["containers"][0] |= {"image": reference, "imagePullPolicy": "Never"}
        kube.create(one)
    for node in cluster.nodes:
        wait_phase(kube, node.name, namespace, "Running")


@pytest.mark.parametrize(
    "image, reasons",
    [
        ("chaoskit-test/absent:1", {"ErrImagePull", "ImagePullBackOff"}),
        ("Not A Name", {"InvalidImageName"}),
    ],
)
def test_a_bad_image_ends_in_the_reason_kubernetes_gives(
    kube: Kube, namespace: str, image: str, reasons: set[str]
) -> None:
    one = pod("bad", namespace, "true", container={"image": image})
    kube.create(one)
    reason = wait_until(
        lambda: (
            waiting_reason(kube, "bad", namespace) in reasons
            and waiting_reason(kube, "bad", namespace)
        ),
        what="the reason",
        timeout_s=60,
        seen=lambda: waiting_reason(kube, "bad", namespace),
    )
    assert reason in reasons


def claim(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
            **spec,
        },
    }


def mounted(name: str) -> dict[str, Any]:
    return {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        "container": {"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
    }


def test_default_storage_class_binds_and_keeps_the_data(kube: Kube, namespace: str) -> None:
    kube.create(claim(namespace, "local"))
    kube.create(
        pod("writer", namespace, "echo kept > /data/x", restartPolicy="Never", **mounted("local"))
    )
    wait_phase(kube, "writer", namespace, "Succeeded", timeout_s=90)
    kube.create(
        pod("reader", namespace, "grep kept /data/x", restartPolicy="Never", **mounted("local"))
    )
    wait_phase(kube, "reader", namespace, "Succeeded")
    bound = kube.get("PersistentVolumeClaim", "local", namespace)
    volume = kube.get("PersistentVolume", bound["spec"]["volumeName"])
    assert bound["spec"]["storageClassName"] == "local-path"
    assert volume["spec"]["nodeAffinity"]


def test_shared_storage_follows_a_pod_to_another_node(
    cluster: K3sCluster, kube: Kube, namespace: str
) -> None:
    first, second = cluster.nodes[-2:]
    kube.create(claim(namespace, "shared", storageClassName="chaoskit-shared"))
    write = pod("writer", namespace, "echo kept > /data/x", **mounted("shared"))
    write["spec"] |= {"restartPolicy": "Never", "nodeSelector": {HOSTNAME: first.name}}
    kube.create(write)
    wait_phase(kube, "writer", namespace, "Succeeded", timeout_s=90)
    read = pod("reader", namespace, "grep kept /data/x", **mounted("shared"))
    read["spec"] |= {"restartPolicy": "Never", "nodeSelector": {HOSTNAME: second.name}}
    kube.create(read)
    wait_phase(kube, "reader", namespace, "Succeeded")


HOSTNAME = "kubernetes.io/hostname"


def served(kube: Kube, namespace: str, name: str, node: str | None = None) -> None:
    """A StatefulSet of one HTTP server, with its governing service."""
    labels = {"app": name}
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": 8080}]},
        }
    )
    template = pod(name, namespace, "hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp")
    template["spec"]["containers"][0]["readinessProbe"] = {
        "httpGet": {"path": "/index.html", "port": 8080},
        "periodSeconds": 1,
    }
    if node is not None:
        template["spec"]["nodeSelector"] = {HOSTNAME: node}
    kube.create(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "serviceName": name,
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
            },
        }
    )
    wait_until(
        lambda: kube.get("StatefulSet", name, namespace)["status"].get("readyReplicas") == 1,
        what=f"StatefulSet {name} to be ready",
        timeout_s=60,
    )


def test_the_dns_name_of_a_stateful_sets_pod_resolves(kube: Kube, namespace: str) -> None:
    served(kube, namespace, "web")
    kube.create(pod("client", namespace, "sleep 120"))
    wait_phase(kube, "client", namespace, "Running")
    name = f"web-0.web.{namespace}.svc.cluster.local"
    address = kube.get("Pod", "web-0", namespace)["status"]["podIP"]
    # A name that was asked for too early is remembered as absent for a while.
    wait_until(
        lambda: address in kube.exec("client", namespace, ["nslookup", name], timeout_s=10).stdout,
        what=f"{name} to resolve to {address}",
        timeout_s=45,
    )


def test_a_node_port_answers_on_every_node(cluster: K3sCluster, kube: Kube, namespace: str) -> None:
    served(kube, namespace, "web", node=cluster.nodes[-1].name)
    made = kube.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "port", "namespace": namespace},
            "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 8080}]},
        }
    )
    port = made["spec"]["ports"][0]["nodePort"]

    def answer(address: str) -> str | None:
        connection = http.client.HTTPConnection(address, port, timeout=3)
        try:
            connection.request("GET", "/index.html")
            return connection.getresponse().read().decode().strip()
        except OSError:
            return None
        finally:
            connection.close()

    for node in cluster.nodes:
        seen = wait_until(
            lambda node=node: answer(node.address),  # type: ignore[misc]
            what=f"an answer on {node.name}:{port}",
            timeout_s=15,
        )
        assert seen == "web-0"


def test_exec_and_logs_reach_pods_on_every_node(
    cluster: K3sCluster, kube: Kube, namespace: str
) -> None:
    for node in cluster.nodes:
        kube.create(pod(node.name, namespace, "echo said; sleep 120", nodeName=node.name))
    for node in cluster.nodes:
        wait_phase(kube, node.name, namespace, "Running")
        done = kube.exec(node.name, namespace, ["sh", "-c", "echo out; exit 3"], timeout_s=15)
        assert (done.stdout.strip(), done.exit_code) == ("out", 3)
        wait_until(
            lambda node=node: "said" in kube.logs(node.name, namespace),  # type: ignore[misc]
            what=f"the log of the pod on {node.name}",
            timeout_s=10,
        )


def test_a_node_sees_no_cgroup_but_its_own(cluster: K3sCluster) -> None:
    """Several kubelets on one machine would else sweep each other's pods."""
    for node in cluster.nodes:
        own = node.execute(["cat", "/proc/1/cgroup"], timeout_s=10).stdout
        assert own
        assert "docker" not in own


def test_kubectl_works_in_a_server_as_users_call_it(cluster: K3sCluster) -> None:
    done = cluster.nodes[0].execute(["kubectl", "get", "nodes", "-o", "name"], timeout_s=20)
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.split()) == len(cluster.nodes)
