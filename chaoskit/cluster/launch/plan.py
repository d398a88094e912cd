"""What will be started: every node with its address, arguments and environment. Pure."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Literal

from chaoskit.cluster import profiles
from chaoskit.cluster.launch import labels, subnets
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import UsageError

API_PORT = 6443
MAX_SERVERS = 20
MAX_AGENTS = 200

# Nothing here needs them, and each of them takes seconds and memory at start.
_DISABLED = ("traefik", "servicelb", "metrics-server")
# A mirrored registry is asked at its mirrors only: the private one's name is in no DNS, and looking
# for it would add seconds and a second error to each pull that fails.
_MIRRORS_ONLY = ("--disable-default-registry-endpoint",)


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """One node container to be."""

    name: str
    role: Literal["server", "agent"]
    address: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    first: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """A cluster to be; `token` is the secret with which nodes join."""

    name: str
    spec: ClusterSpec
    subnet: str
    nodes: tuple[NodePlan, ...]
    token: str = field(repr=False)

    @property
    def shared_volume(self) -> str:
        """The volume that all nodes see, for storage that is not bound to a node."""
        return f"{self.name}-shared"


def checked(spec: ClusterSpec) -> ClusterSpec:
    """The spec itself if a cluster can be made of it; raises `UsageError`."""
    profiles.profile_named(spec.profile)
    if spec.name is not None:
        labels.checked_name(spec.name)
    if not 1 <= spec.servers <= MAX_SERVERS or not 0 <= spec.agents <= MAX_AGENTS:
        raise UsageError(
            "not a size for a cluster",
            seen=f"{spec.servers} servers, {spec.agents} agents",
            next_step=f"1 to {MAX_SERVERS} servers and 0 to {MAX_AGENTS} agents",
        )
    if not spec.image:
        raise UsageError("the node image has no name", next_step='a reference, or "auto"')
    return spec


def make(spec: ClusterSpec, *, name: str, subnet: str, cgroup_v1: bool) -> ClusterPlan:
    """The plan of a cluster on `subnet`; the token is new each time."""
    token = secrets.token_hex(16)
    servers = [
        _server(spec, name=name, subnet=subnet, token=token, index=index, cgroup_v1=cgroup_v1)
        for index in range(spec.servers)
    ]
    agents = [
        _agent(spec, name=name, subnet=subnet, token=token, index=index, cgroup_v1=cgroup_v1)
        for index in range(spec.agents)
    ]
    return ClusterPlan(name=name, spec=spec, subnet=subnet, nodes=(*servers, *agents), token=token)


def kubelet_configuration(spec: ClusterSpec, *, cgroup_v1: bool) -> str:
    """A drop-in for the kubelet's configuration folder.

    `failCgroupV1`: kubelets from v1.35 on refuse a cgroup v1 host unless told otherwise. It is
    set only where it is needed, as older kubelets do not know the field.
    """
    fields: dict[str, object] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **profiles.kubelet_fields(profiles.profile_named(spec.profile)),
    }
    if cgroup_v1:
        fields["failCgroupV1"] = False
    return json.dumps(fields)


def _environment(spec: ClusterSpec, *, token: str, cgroup_v1: bool) -> dict[str, str]:
    return {
        "K3S_TOKEN": token,
        "CHAOSKIT_KUBELET_CONFIG": kubelet_configuration(spec, cgroup_v1=cgroup_v1),
    }


def _server(
    spec: ClusterSpec, *, name: str, subnet: str, token: str, index: int, cgroup_v1: bool
) -> NodePlan:
    profile = profiles.profile_named(spec.profile)
    address = subnets.server_address(subnet, index)
    node = f"{name}-server-{index}"
    command = ["server", "--node-name", node, "--node-ip", address, *_MIRRORS_ONLY]
    for alternative in ("127.0.0.1", address, node):
        command += ["--tls-san", alternative]
    command += ["--disable", ",".join(_DISABLED), "--write-kubeconfig-mode", "600"]
    for argument in profiles.controller_manager_arguments(profile):
        command += ["--kube-controller-manager-arg", argument]
    for argument in profiles.api_server_arguments(profile):
        command += ["--kube-apiserver-arg", argument]
    if spec.servers > 1:
        first = subnets.server_address(subnet, 0)
        command += ["--server", f"https://{first}:{API_PORT}"] if index else ["--cluster-init"]
    return NodePlan(
        name=node,
        role="server",
        address=address,
        command=tuple(command),
        environment=_environment(spec, token=token, cgroup_v1=cgroup_v1),
        first=index == 0,
    )


def _agent(
    spec: ClusterSpec, *, name: str, subnet: str, token: str, index: int, cgroup_v1: bool
) -> NodePlan:
    address = subnets.agent_address(subnet, index)
    node = f"{name}-agent-{index}"
    return NodePlan(
        name=node,
        role="agent",
        address=address,
        command=("agent", "--node-name", node, "--node-ip", address, *_MIRRORS_ONLY),
        environment={
            **_environment(spec, token=token, cgroup_v1=cgroup_v1),
            "K3S_URL": f"https://{subnets.server_address(subnet, 0)}:{API_PORT}",
        },
    )
