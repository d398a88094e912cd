"""Clusters of node containers, started with testcontainers' core (the only module that has it).

Either node image is started by the same code: rancher/k3s and the built one honour one contract.
testcontainers' own K3SContainer is one node and waits for a line of one network plug-in's log,
hence this launcher.
"""

import ipaddress
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import docker
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Mount
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer, Reaper
from testcontainers.core.network import Network

from chaoskit.cluster.engine import CAPABILITIES, Engine, Rights
from chaoskit.cluster.engine import rights as rights_within
from chaoskit.cluster.k3s_cluster import spec_as_text
from chaoskit.cluster.launch import inotify, labels, subnets
from chaoskit.cluster.launch.engine_errors import (
    Gone,
    Overlap,
    PortTaken,
    RightsRefused,
    engine_errors,
)
from chaoskit.cluster.launch.entry import ENTRYPOINT
from chaoskit.cluster.launch.node_image import NodeImage
from chaoskit.cluster.launch.plan import API_PORT, ClusterPlan, NodePlan
from chaoskit.cluster.provider import ClusterSpec

IMAGES_FOLDER = "/var/lib/rancher/k3s/agent/images"
SHARED_FOLDER = "/var/lib/chaoskit/shared"
# Overlay file systems cannot lie on one another: what containerd and the kubelet write needs
# volumes. The image's own declaration of them carries no labels, these do.
_VOLUME_FOLDERS = ("/var/lib/rancher/k3s", "/var/lib/kubelet", "/var/lib/cni", "/var/log")
_TMPFS_FOLDERS = ("/run", "/var/run")
_TRIES = 5

# It says "Pulling image …" on stderr for every container, also where nothing is pulled.
logging.getLogger("testcontainers").setLevel(logging.WARNING)
_RYUK_UNWANTED = testcontainers_config.ryuk_disabled


@dataclass(frozen=True, kw_only=True)
class NodeFile:
    """A file that lies in every node before it starts."""

    source: Path | bytes
    target: str
    mode: int = 0o644


class NodeContainers:
    """Creates the network, the volumes and the node containers of one plan."""

    def __init__(
        self, client: docker.DockerClient, engine: Engine, image: NodeImage, *, keep: bool
    ) -> None:
        self._client = client
        self._engine = engine
        self._image = image
        self._keep = keep
        self.rights = engine.rights
        self.api_port = 0
        # testcontainers makes a client of its own for each container, from this.
        self._client_options = {"environment": {**os.environ, "DOCKER_HOST": engine.endpoint}}
        _use_ryuk(client, keep=keep)

    def require_room(self, name: str, spec: ClusterSpec) -> None:
        """Raise `ClusterError` where the kernel cannot carry so many nodes more."""
        if self._is_local():
            inotify.require(name, spec.servers, spec.agents)

    def create_network(self, name: str, tags: dict[str, str]) -> str:
        """A bridge network of its own; returns its address range. Raises `EngineError`."""
        for attempt in range(_TRIES):
            with engine_errors("the engine's networks"):
                rows = self._client.api.networks()
            used = [*_ranges(rows), *(subnets.host_routes() if self._is_local() else ())]
            subnet = subnets.choose(used)
            pool = IPAMPool(subnet=subnet, gateway=subnets.gateway(subnet))
            network = Network(
                docker_client_kw=self._client_options,
                docker_network_kw={
                    "driver": "bridge",
                    "check_duplicate": True,
                    "ipam": IPAMConfig(pool_configs=[pool]),
                    "labels": tags,
                },
            )
            network.name = name
            try:
                with engine_errors(f"network {name}"):
                    network.create()
            except Overlap:
                # Somebody else took the range between the look and the creation.
                if attempt == _TRIES - 1:
                    raise
                continue
            finally:
                network._docker.client.close()  # it has no verb for that
            return subnet
        raise AssertionError("the loop returns or raises")

    def create_shared_volume(self, cluster: ClusterPlan, tags: dict[str, str]) -> None:
        """The volume that all nodes see."""
        with engine_errors(f"volume {cluster.shared_volume}"):
            self._client.api.create_volume(name=cluster.shared_volume, labels=tags)

    def start(
        self, cluster: ClusterPlan, node: NodePlan, tags: dict[str, str], files: Sequence[NodeFile]
    ) -> None:
        """Create and start one node; falls back to fewer rights, takes another port if needed.

        Raises `EngineError`, `ImageError` or `ClusterError`.
        """
        for attempt in range(_TRIES):
            port = _free_port() if node.first else None
            rights = self.rights
            try:
                self._start_once(cluster, node, tags, files, rights=rights, port=port)
            except PortTaken:
                if attempt == _TRIES - 1:
                    raise
            except RightsRefused:
                if not rights.privileged:
                    raise
                self.rights = _explicit_rights(self._engine)
            else:
                if port is not None:
                    self.api_port = port
                return
            self._discard(node.name)

    def _start_once(
        self,
        cluster: ClusterPlan,
        node: NodePlan,
        tags: dict[str, str],
        files: Sequence[NodeFile],
        *,
        rights: Rights,
        port: int | None,
    ) -> None:
        container = DockerContainer(self._image.reference, docker_client_kw=self._client_options)
        container.image = self._image.reference  # without a prefix meant for other images
        container.with_name(node.name).with_command(list(node.command))
        for key, value in node.environment.items():
            container.with_env(key, value)
        for folder in _TMPFS_FOLDERS:
            container.with_tmpfs_mount(folder)
        if port is not None:
            # The type says int; docker's client takes the address as well, and needs it.
            ports = cast(dict[str, Any], container.ports)
            ports[f"{API_PORT}/tcp"] = ("127.0.0.1", port)
        for file in files:
            container.with_copy_into_container(file.source, file.target, file.mode)
        container.with_kwargs(
            entrypoint=list(ENTRYPOINT),
            hostname=node.name,
            labels={
                **tags,
                labels.NODE: node.name,
                labels.ROLE: node.role,
                labels.ADDRESS: node.address,
                labels.SPEC: spec_as_text(cluster.spec),
            },
            network=cluster.name,
            networking_config={
                cluster.name: EndpointConfig(
                    self._engine.api_version, ipv4_address=node.address, aliases=[node.name]
                )
            },
            mounts=_mounts(cluster, tags),
            cgroupns="private",
            **_options(rights),
        )
        with engine_errors(f"node {node.name}"):
            try:
                container.start()
            finally:
                container.get_docker_client().client.close()

    def _discard(self, name: str) -> None:
        try:
            with engine_errors(f"node {name}"):
                self._client.api.remove_container(name, v=True, force=True)
        except Gone:
            return

    def _is_local(self) -> bool:
        return self._engine.endpoint.startswith("unix://")


def _mounts(cluster: ClusterPlan, tags: dict[str, str]) -> list[Mount]:
    """Volumes of the node's own, which go when it goes, and the one that all nodes see."""
    own = [Mount(folder, None, labels=tags) for folder in _VOLUME_FOLDERS]
    return [*own, Mount(SHARED_FOLDER, cluster.shared_volume)]


def _options(rights: Rights) -> dict[str, Any]:
    """What the engine is asked for, so that a container can be a node."""
    if rights.privileged:
        return {"privileged": True}
    return {
        "cap_add": list(rights.capabilities),
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
        "device_cgroup_rules": ["a *:* rwm"],
    }


def _explicit_rights(engine: Engine) -> Rights:
    """What to ask of an engine that refused `privileged` and cannot be looked into."""
    most = (1 << len(CAPABILITIES)) - 1
    return rights_within(
        bounding=most & ~(1 << CAPABILITIES.index("SYS_RESOURCE")), engine_version=engine.version
    )


def _free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now.

    Chosen here rather than by the engine, which would choose another one whenever the server's
    container is started again.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _ranges(networks: Sequence[dict[str, Any]]) -> list[ipaddress.IPv4Network]:
    """The IPv4 address ranges of the engine's networks."""
    found = []
    for network in networks:
        for config in (network.get("IPAM") or {}).get("Config") or ():
            subnet = config.get("Subnet")
            if subnet and ":" not in subnet:
                found.append(ipaddress.IPv4Network(subnet, strict=False))
    return found


def _use_ryuk(client: docker.DockerClient, *, keep: bool) -> None:
    """Let testcontainers' reaper help where its image is at hand, and never on kept clusters.

    It removes what carries this process's session label as soon as this process ends, which is
    exactly wrong for a cluster that is to be kept.
    """
    with engine_errors("the engine's images"):
        rows = client.api.images(name=testcontainers_config.ryuk_image.partition(":")[0])
    tags = [tag for row in rows for tag in row.get("RepoTags") or ()]
    at_hand = testcontainers_config.ryuk_image in tags
    testcontainers_config.ryuk_disabled = _RYUK_UNWANTED or keep or not at_hand
    if keep:
        Reaper.delete_instance()
