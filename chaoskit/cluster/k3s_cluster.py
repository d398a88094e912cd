"""A running cluster of node containers."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import docker

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.launch import (
    component_logs,
    control_target,
    labels,
    leftovers,
    private_registry,
    tarballs,
)
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.launch.exec_stream import ExecStream
from chaoskit.cluster.launch.heartbeat import Heartbeat
from chaoskit.cluster.launch.state import ClusterState
from chaoskit.cluster.node import Node
from chaoskit.cluster.profiles import Profile, profile_named
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.cluster.registry import Registry
from chaoskit.errors import ClusterError, ImageError
from chaoskit.kube.client import Kube
from chaoskit.kube.observer import KINDS

_IMPORT = ("ctr", "-n", "k8s.io", "images", "import", "-")
_IMPORT_TIMEOUT_S = 120.0
_PIECE_BYTES = 1 << 20


class Placed(Protocol):
    """Something bound to a node: a pod."""

    @property
    def node_name(self) -> str: ...


class K3sCluster:
    """Nodes in containers on a network of their own. Made by `K3sProvider`, ended by it."""

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        name: str,
        spec: ClusterSpec,
        nodes: Sequence[ContainerNode],
        capabilities: frozenset[str],
        owner: labels.Owner,
    ) -> None:
        self.client = client
        self._owner = owner
        self.name = name
        self.spec = spec
        self.nodes: tuple[ContainerNode, ...] = tuple(nodes)
        self.capabilities = capabilities
        self.state = ClusterState(cluster=name)
        self.facts: dict[str, str] = {}
        self.heartbeat = Heartbeat(lambda: self.nodes)

    def __repr__(self) -> str:
        return f"<cluster {self.name}>"

    @property
    def kubeconfig(self) -> Path:
        """A file with mode 0600 that reaches the API server at 127.0.0.1."""
        return self.state.kubeconfig

    @cached_property
    def kube(self) -> Kube:
        """The API of this cluster, for waits of the launcher and its nodes."""
        return Kube(self.kubeconfig)

    @cached_property
    def engine_id(self) -> str:
        """The name that its engine has for itself."""
        with engine_errors(f"the engine of cluster {self.name}"):
            return str(self.client.info()["ID"])

    def node(self, name: str) -> ContainerNode:
        """The node of that name; raises `ClusterError`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ClusterError(
            "no such node",
            subject=f"cluster {self.name}",
            seen=name,
            next_step=f"one of {', '.join(node.name for node in self.nodes)}",
        )

    def node_of(self, pod: Placed) -> ContainerNode:
        """The node that a pod is bound to; raises what `pod.node_name` raises."""
        return self.node(pod.node_name)

    def any_node_except(self, *nodes: Node) -> ContainerNode:
        """A node that is none of these, an agent if there is one. Raises `ClusterError`."""
        avoided = {node.name for node in nodes}
        for node in (*self.agents, *self.servers):
            if node.name not in avoided:
                return node
        raise ClusterError(
            "has no other node",
            subject=f"cluster {self.name}",
            seen=f"nodes {sorted(node.name for node in self.nodes)}",
            next_step="start it with more agents (--chaos-nodes)",
        )

    def learn_abilities(self, hellos: Sequence[dict[str, Any]]) -> None:
        """Add to the capabilities what every node agent says its kernel can do."""
        common = frozenset[str].intersection(*(frozenset(said["abilities"]) for said in hellos))
        self.facts["abilities"] = " ".join(sorted(common))
        self.capabilities |= common

    @property
    def agents(self) -> tuple[ContainerNode, ...]:
        """Its nodes without a control plane."""
        return tuple(node for node in self.nodes if node.role == "agent")

    @property
    def servers(self) -> tuple[ContainerNode, ...]:
        """Its nodes with a control plane."""
        return tuple(node for node in self.nodes if node.role == "server")

    @property
    def is_confined(self) -> bool:
        """It is ours: nodes and all namespaces may be looked at."""
        return False

    @property
    def watchable(self) -> Sequence[str]:
        """The kinds of objects whose changes are watched: its administrator may all."""
        return KINDS

    @property
    def profile(self) -> Profile:
        """How fast it gives a node up."""
        return profile_named(self.spec.profile)

    @property
    def version(self) -> str:
        """Its Kubernetes version, "v1.36.3"."""
        return self.facts["kubernetes"]

    def load_image(self, reference: str, *, nodes: Sequence[ContainerNode] | None = None) -> None:
        """Make an image of the engine known to the container runtime of every node, or of these.

        Raises `ImageError` if the engine has it not or a node refuses it.
        """
        (tarball,) = tarballs.saved(self.client, (reference,))
        for node in self.nodes if nodes is None else nodes:
            self._import(node, reference, tarball)

    def load_archive(self, archive: Path) -> None:
        """Make the images of a tar (`docker save`) known to every node. Raises `ImageError`."""
        for node in self.nodes:
            self._import(node, str(archive), archive)

    def start_control_target(self, image: str) -> tuple[str, int]:
        """Run a server of that image beside the nodes, which no fault touches; host and port.

        Raises `EngineError`, `ImageError`.
        """
        tags = labels.labels(cluster=self.name, owner=self._owner, keep=self.spec.keep)
        return control_target.start(self.client, cluster=self.name, tags=tags, image=image)

    @property
    def registry(self) -> Registry | None:
        """The private registry beside the nodes; None before somebody started it."""
        address = private_registry.address_of(self.client, self.name)
        if address is None:
            return None
        container = private_registry.container_of(self.name)
        return Registry(self.client, container=container, address=address)

    def start_registry(self, image: str) -> Registry:
        """Run a private registry of that image beside the nodes, if none is there yet.

        Raises `EngineError`, `ImageError`, and `ClusterError` if the nodes do not know of it.
        """
        known = self.nodes[0].execute(["test", "-f", private_registry.FILE], timeout_s=10)
        if known.exit_code != 0:
            raise ClusterError(
                "its nodes know no private registry",
                subject=f"cluster {self.name}",
                seen=f"no {private_registry.FILE} on {self.nodes[0].name}",
                next_step=f"chaoskit cluster down {self.name}, and start it anew",
            )
        tags = labels.labels(cluster=self.name, owner=self._owner, keep=self.spec.keep)
        private_registry.start(self.client, cluster=self.name, tags=tags, image=image)
        registry = self.registry
        assert registry is not None  # just started
        return registry

    def collect_logs(self, into: Path) -> None:
        """Write the logs of every component of every node; never raises for a missing one.

        Raises `ClusterError` when they cannot be written.
        """
        component_logs.collect(self.client, [node.name for node in self.nodes], into)

    def close(self) -> None:
        """Let go of the cluster without ending it. May be repeated."""
        self.heartbeat.stop()
        for node in self.nodes:
            node.agent.close()
        if "kube" in self.__dict__:
            self.kube.close()

    def remove(self) -> int:
        """End it and remove all of it; how many objects of the engine that were."""
        self.close()
        return leftovers.remove(self.client, self.name)

    def node_inspections(self) -> list[dict[str, Any]]:
        """What the engine knows of each node's container, in the order of `nodes`."""
        return [node.inspect() for node in self.nodes]

    def _import(self, node: ContainerNode, reference: str, tarball: Path) -> None:
        stream = ExecStream(
            self.client, node.name, ["timeout", f"{_IMPORT_TIMEOUT_S:.0f}", *_IMPORT]
        )
        try:
            with tarball.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    stream.send(piece)
            stream.close_input()
            said = b""
            while piece := stream.recv():
                said += piece
        finally:
            stream.close()
        if (code := stream.exit_code()) != 0:
            raise ImageError(
                "the node's container runtime refused the image",
                subject=f"{reference} on node {node.name}",
                seen=f"exit code {code}: {(said + stream.stderr).decode(errors='replace').strip()}",
                next_step=f"chaoskit cluster shell {node.name}; is it an image of this platform?",
            )


def spec_as_text(spec: ClusterSpec) -> str:
    """The parts of a spec that make clusters alike, as a label's value."""
    return json.dumps(
        {
            "servers": spec.servers,
            "agents": spec.agents,
            "image": spec.image,
            "profile": spec.profile,
        },
        sort_keys=True,
    )
