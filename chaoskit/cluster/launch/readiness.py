"""When is a cluster ready? Asked of the cluster itself, never read off a log line."""

import io
import tarfile
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import docker
import yaml

from chaoskit.cluster.container_node import ContainerNode, brief, is_ready
from chaoskit.cluster.launch import leftovers
from chaoskit.cluster.launch.engine_errors import Gone, engine_errors
from chaoskit.cluster.launch.entry import EXIT_CODES, NOT_A_NODE_IMAGE
from chaoskit.errors import ImageError, WaitTimeout
from chaoskit.kube.client import Kube
from chaoskit.kube.refusal import Refused
from chaoskit.waiting import wait_until

T = TypeVar("T")

KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_LAST_LINES = 12
# The key under which k3s, and the built image after it, keeps the nodes' names for CoreDNS.
_NODE_HOSTS = "NodeHosts"
# nslookup is a name of its own in rancher/k3s, and only a part of busybox in the built image.
_ASK_DNS = (
    "sh",
    "-c",
    "command -v nslookup >/dev/null || set -- busybox; "
    'exec "$@" nslookup kubernetes.default.svc.cluster.local 10.43.0.10',
    "sh",
)


class Watchdog:
    """Says why waiting on is pointless: a node container that ended, with its last words."""

    def __init__(self, client: docker.DockerClient, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def hopeless(self) -> str | None:
        """The last words of a node that ended; raises `ImageError` if it never was one."""
        for found in leftovers.found(self._client, self._cluster):
            for node in leftovers.ended(found.nodes):
                return self._last_words(node)
        return None

    def _last_words(self, node: leftovers.Thing) -> str:
        with engine_errors(f"node {node.name}"):
            state = self._client.api.inspect_container(node.id)["State"]
            log = self._client.api.logs(node.id, tail=_LAST_LINES).decode(errors="replace")
        code = state["ExitCode"]
        if code in NOT_A_NODE_IMAGE:
            raise ImageError(
                NOT_A_NODE_IMAGE[code],
                subject=f"node {node.name}",
                seen=f"exit code {code}: {log.strip()}",
                next_step="chaoskit image ls; --image with a node image",
            )
        meaning = EXIT_CODES.get(code, "killed for memory" if state["OOMKilled"] else "")
        head = f"node {node.name} ended with exit code {code}"
        return f"{head}{f' ({meaning})' if meaning else ''}; its last lines:\n{log.strip()}"


class Readiness:
    """The waits of one starting cluster, sharing one deadline per step."""

    def __init__(self, client: docker.DockerClient, cluster: str, *, timeout_s: float) -> None:
        self._client = client
        self._watchdog = Watchdog(client, cluster)
        self._timeout_s = timeout_s
        self._last: object = None

    def wait_kubeconfig(self, server: str) -> str:
        """Wait for the server's own kubeconfig; returns its text."""
        return self._wait(lambda: self._read_kubeconfig(server), f"{server} to write {KUBECONFIG}")

    def wait_api_ready(self, kube: Kube) -> None:
        """Wait until /readyz says ok."""
        self._wait(lambda: self._tolerant(lambda: kube.raw_get("/readyz") == "ok"), "/readyz")

    def wait_nodes_ready(self, kube: Kube, names: Sequence[str]) -> None:
        """Wait until all nodes are Ready, with pod addresses and without taints of absence."""

        def ready() -> bool:
            nodes = {node["metadata"]["name"]: node for node in kube.list("Node")}
            missing = [name for name in names if name not in nodes]
            waiting = [brief(node) for node in nodes.values() if not is_ready(node)]
            self._last = "; ".join([*waiting, *(f"{name}: not registered" for name in missing)])
            return not missing and not waiting

        self._wait(lambda: self._tolerant(ready), "all nodes to be Ready")

    def wait_defaults(self, kube: Kube) -> None:
        """Wait for what workloads take for granted: service account, storage class, DNS pods."""
        self._wait(
            lambda: self._tolerant(lambda: kube.find("ServiceAccount", "default", "default")),
            "the default service account",
        )
        self._wait(lambda: self._tolerant(lambda: self._default_class(kube)), "a storage class")
        self._wait(lambda: self._tolerant(lambda: self._coredns(kube)), "CoreDNS to be available")

    def wait_dns(self, kube: Kube, nodes: Sequence[ContainerNode]) -> None:
        """Wait until the cluster's DNS knows each node and answers there, by service address.

        The server writes the nodes' names some time after they are Ready; a cluster handed out
        before would still change under its first test.
        """
        names = {node.name for node in nodes}
        self._wait(
            lambda: self._tolerant(lambda: self._dns_knows(kube, names)), "DNS to know the nodes"
        )
        for node in nodes:
            self._wait(
                lambda node=node: self._dns_answers(node),  # type: ignore[misc]
                f"DNS to answer on {node.name}",
            )

    def _wait(self, condition: Callable[[], T | None], what: str) -> T:
        self._last = None
        return wait_until(
            condition,
            what=what,
            timeout_s=self._timeout_s,
            interval_s=0.15,
            seen=lambda: self._last,
            hopeless=self._watchdog.hopeless,
            next_step="look at the nodes' logs: docker logs NODE; docker exec NODE ls "
            "/var/log/chaoskit; a slow machine may need a longer start timeout",
        )

    def _tolerant(self, ask: Callable[[], T]) -> T | None:
        """Ask an API server that may not serve yet: any refusal is "not yet".

        Before it listens, docker-proxy accepts and hangs up, which looks like broken TLS; before
        its roles are there, it answers "forbidden" to everybody.
        """
        try:
            return ask()
        except Refused as error:
            self._last = str(error)
            return None

    def _read_kubeconfig(self, server: str) -> str | None:
        try:
            with engine_errors(f"node {server}"):
                pieces, _ = self._client.api.get_archive(server, KUBECONFIG)
                data = b"".join(pieces)
        except Gone as gone:
            self._last = gone.seen
            return None
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            text = "" if file is None else file.read().decode()
        # It may be read while it is being written.
        config = yaml.safe_load(text) if text.endswith("\n") else None
        self._last = "an unfinished file"
        return text if isinstance(config, dict) and config.get("users") else None

    def _default_class(self, kube: Kube) -> bool:
        classes = kube.list("StorageClass")
        self._last = [one["metadata"]["name"] for one in classes]
        return any(
            (one["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
            for one in classes
        )

    def _coredns(self, kube: Kube) -> bool:
        status: dict[str, Any] = kube.get("Deployment", "coredns", "kube-system").get("status", {})
        self._last = f"Deployment coredns: {status.get('availableReplicas', 0)} available"
        return bool(status.get("availableReplicas"))

    def _dns_knows(self, kube: Kube, names: set[str]) -> bool:
        data = kube.get("ConfigMap", "coredns", "kube-system").get("data") or {}
        known = {name for line in data.get(_NODE_HOSTS, "").splitlines() for name in line.split()}
        self._last = f"{_NODE_HOSTS} of ConfigMap coredns: {sorted(names & known)}"
        return names <= known

    def _dns_answers(self, node: ContainerNode) -> bool:
        try:
            completed = node.execute(_ASK_DNS, timeout_s=3)
        except WaitTimeout as error:
            self._last = str(error)
            return False
        self._last = (completed.stdout + completed.stderr).strip()
        return completed.exit_code == 0
