"""Clusters that are there already, by kubeconfig: one namespace of them, and nothing else.

What can be done there is found out: rights by asking the API server about the account, nodes as far
as they may be listed. Nodes have no engine here, so what only an engine or the node agent can do
is an absent capability.
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NoReturn

from chaoskit.cluster.launch.state import state_folder
from chaoskit.cluster.node import Agent, Completed
from chaoskit.cluster.provider import Cluster, ClusterSpec
from chaoskit.cluster.registry import Registry
from chaoskit.errors import ClusterError, UsageError
from chaoskit.kube import in_cluster, rights
from chaoskit.kube.client import Kube
from chaoskit.kube.confined import ConfinedKube
from chaoskit.kube.connection import minified
from chaoskit.kube.observer import KINDS
from chaoskit.kube.rights import Right

#: Names of such clusters begin so; the rest says where to find them again.
PREFIX = "existing:"
_ROLE_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True, kw_only=True)
class ExistingNode:
    """A node that is known by the API alone."""

    name: str
    role: Literal["server", "agent"]
    address: str

    @property
    def agent(self) -> Agent:
        """There is none."""
        self._absent("the node agent")

    @property
    def status(self) -> str:
        """Not known: no engine is asked."""
        return "unknown"

    def execute(self, argv: Sequence[str], *, timeout_s: float) -> Completed:
        """Not possible here."""
        self._absent("execution on a node")

    def wait_ready(self, *, timeout_s: float) -> None:
        """Not possible here."""
        self._absent("waiting for a node")

    def wait_not_ready(self, *, timeout_s: float) -> None:
        """Not possible here."""
        self._absent("waiting for a node")

    def wait_agent(self, *, timeout_s: float) -> None:
        """Not possible here."""
        self._absent("the node agent")

    def pause(self) -> None:
        """Not possible here."""
        self._absent("pausing a node")

    def unpause(self) -> None:
        """Not possible here."""
        self._absent("pausing a node")

    def kill(self) -> None:
        """Not possible here."""
        self._absent("killing a node")

    def stop(self, *, timeout_s: int) -> None:
        """Not possible here."""
        self._absent("stopping a node")

    def start(self) -> None:
        """Not possible here."""
        self._absent("starting a node")

    def _absent(self, what: str) -> NoReturn:
        raise ClusterError(
            f"{what} needs a cluster that chaoskit has started",
            subject=f"node {self.name}",
            next_step="use a throw-away cluster for it",
        )


class ExistingCluster:
    """One namespace of a cluster that somebody else runs. Made by `ExistingProvider`."""

    registry: Registry | None = None
    is_confined = True

    def __init__(
        self, kubeconfig: Path, context: str, namespace: str, *, node_faults: bool = False
    ) -> None:
        """`kubeconfig` and `context` as the user named them. Raises `UsageError`."""
        self.context = context
        self.namespace = namespace
        self.kubeconfig = _own_copy(kubeconfig, context)
        locator = {
            "kubeconfig": str(kubeconfig.absolute()),
            "context": context,
            "namespace": namespace,
            "node_faults": node_faults,
        }
        self.name = PREFIX + json.dumps(locator, sort_keys=True, separators=(",", ":"))
        self.kube: Kube = ConfinedKube(self.kubeconfig, namespace, may_change_nodes=node_faults)
        self._node_faults = node_faults

    def __repr__(self) -> str:
        return f"<namespace {self.namespace} of context {self.context}>"

    @classmethod
    def named(cls, name: str) -> "ExistingCluster":
        """The cluster of that name, for whoever heals later. Raises `UsageError`."""
        try:
            found = json.loads(name.removeprefix(PREFIX))
            return cls(
                Path(found["kubeconfig"]),
                found["context"],
                found["namespace"],
                node_faults=found["node_faults"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError("names no existing cluster", subject=name, seen=error) from error

    @property
    def engine_id(self) -> str:
        """No engine."""
        return ""

    @cached_property
    def facts(self) -> dict[str, str]:
        """What a report says of it."""
        return {
            "provider": "existing",
            "context": self.context,
            "kubernetes": str(self.kube.version().get("gitVersion", "?")),
            "image": "none: not started by chaoskit",
            "profile": "unknown",
        }

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What can be done besides faults of objects in the namespace."""
        found = set()
        if self._node_faults and not rights.missing(
            self.kube, rights.rights("get list patch", ["Node"], None)
        ):
            found.add("node_faults")
        return frozenset(found)

    @cached_property
    def watchable(self) -> Sequence[str]:
        """The kinds that the account may list and watch in its namespace, and nodes."""
        return tuple(
            kind
            for kind in KINDS
            if not rights.missing(self.kube, rights.rights("list watch", [kind], self.namespace))
        )

    @cached_property
    def nodes(self) -> Sequence[ExistingNode]:
        """All of them where they may be listed, else those that pods of the namespace run on."""
        if rights.has(self.kube, Right("list", "Node", None)):
            return tuple(node for item in self.kube.list("Node") for node in _node(item))
        hosts = {
            item["spec"]["nodeName"]: item["status"]["hostIP"]
            for item in self.kube.list("Pod", self.namespace)
            if item["spec"].get("nodeName") and item.get("status", {}).get("hostIP")
        }
        return tuple(
            ExistingNode(name=name, role="agent", address=address)
            for name, address in sorted(hosts.items())
        )

    @property
    def servers(self) -> Sequence[ExistingNode]:
        """Those with a control plane, as far as their labels say it."""
        return tuple(node for node in self.nodes if node.role == "server")

    def node(self, name: str) -> ExistingNode:
        """The node of that name; raises `ClusterError`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ClusterError(
            "no such node is known",
            subject=repr(self),
            seen=name,
            next_step=f"one of {', '.join(node.name for node in self.nodes) or 'none'}",
        )

    def load_image(self, reference: str) -> None:
        """Not possible here."""
        raise ClusterError(
            "images cannot be loaded into nodes that chaoskit has not started",
            subject=reference,
            next_step="push it where the cluster pulls from",
        )

    def collect_logs(self, into: Path) -> None:
        """There are none to collect: components belong to somebody else."""

    def close(self) -> None:
        """Let go of it, and remove our copy of its kubeconfig."""
        self.kube.close()
        self.kubeconfig.unlink(missing_ok=True)


class ExistingProvider:
    """Takes up a namespace of a cluster that is there, and lets go of it."""

    def __init__(
        self, kubeconfig: Path, context: str, namespace: str, *, node_faults: bool = False
    ) -> None:
        self._arguments = (kubeconfig, context, namespace)
        self._node_faults = node_faults

    def capabilities(self, spec: ClusterSpec) -> frozenset[str]:
        """What can be done there. Raises `ChaoskitError`s."""
        cluster = self.start(spec)
        try:
            return cluster.capabilities
        finally:
            cluster.close()

    def start(self, spec: ClusterSpec) -> ExistingCluster:
        """Connect; nothing is made. Raises `UsageError`, and `ClusterError` where nobody answers,
        or there is no such namespace.
        """
        cluster = ExistingCluster(*self._arguments, node_faults=self._node_faults)
        try:
            cluster.kube.require_reachable()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def stop(self, cluster: Cluster) -> None:
        """Let go of it; it stays as it is."""
        if isinstance(cluster, ExistingCluster):
            cluster.close()


def own_account() -> Path:
    """A kubeconfig of this pod's account, written into the state folder; no secret is in it.

    It stays: the ledger names it for whoever heals later. Raises `UsageError` outside of a pod.
    """
    text = in_cluster.kubeconfig()
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "in-cluster.kubeconfig"
    beside = folder / f".in-cluster-{os.getpid()}"
    beside.write_text(text)
    beside.replace(path)
    return path


def _node(item: dict[str, object]) -> list[ExistingNode]:
    metadata, status = item["metadata"], item.get("status") or {}
    assert isinstance(metadata, dict)  # as the API has them
    assert isinstance(status, dict)
    labels = metadata.get("labels") or {}
    role: Literal["server", "agent"] = (
        "server" if any(label in labels for label in _ROLE_LABELS) else "agent"
    )
    for address in status.get("addresses") or []:
        if address["type"] == "InternalIP" and "." in address["address"]:
            return [ExistingNode(name=metadata["name"], role=role, address=address["address"])]
    return []


def _own_copy(kubeconfig: Path, context: str) -> Path:
    """One context of it alone, readable for us alone: other processes of ours read it too."""
    folder = state_folder() / "existing"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob("*.yaml"):  # of killed processes
        if not Path(f"/proc/{left.name.partition('-')[0]}").exists():
            left.unlink(missing_ok=True)
    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.yaml"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(minified(kubeconfig, context))
    return path
