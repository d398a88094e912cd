"""A node that is a container: reached through its engine, never through its own network."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import docker

from chaoskit.cluster.launch import exec_stream
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.launch.resident_agent import ResidentAgent
from chaoskit.cluster.node import Completed
from chaoskit.errors import ClusterError
from chaoskit.kube.client import Kube
from chaoskit.kube.refusal import Transient
from chaoskit.waiting import wait_until

_INTERVAL_S = 0.25
_OFF_WITHIN_S = 30


class ContainerNode:
    """One node container. `name` is the container's, the host's and the Kubernetes node's."""

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        name: str,
        role: Literal["server", "agent"],
        address: str,
        kube: Callable[[], Kube],
    ) -> None:
        self._client = client
        self._kube = kube
        self.name = name
        self.role: Literal["server", "agent"] = role
        self.address = address
        self.agent = ResidentAgent(client, name)

    def __repr__(self) -> str:
        return f"<node {self.name}>"

    def execute(self, argv: Sequence[str], *, timeout_s: float) -> Completed:
        """Run a command in the node; raises `WaitTimeout`, `ClusterError` or `EngineError`."""
        return exec_stream.execute(self._client, self.name, argv, timeout_s=timeout_s)

    def wait_ready(self, *, timeout_s: float) -> None:
        """Wait until Kubernetes says Ready, with the taints of its absence gone."""
        self._wait(is_ready, what="Ready", timeout_s=timeout_s)

    def wait_not_ready(self, *, timeout_s: float) -> None:
        """Wait until Kubernetes says that it is not Ready, or that it does not know."""
        self._wait(lambda node: ready_status(node) != "True", what="NotReady", timeout_s=timeout_s)

    def wait_agent(self, *, timeout_s: float) -> None:
        """Wait until its agent answers, started again if the node was."""
        self.agent.wait_hello(timeout_s=timeout_s)

    def inspect(self) -> dict[str, Any]:
        """What the engine knows of the container (`docker inspect`)."""
        with engine_errors(f"node {self.name}"):
            found: dict[str, Any] = self._client.api.inspect_container(self.name)
        return found

    def published_port(self, port: int) -> int:
        """The port of 127.0.0.1 behind which `port` of the node is; raises `ClusterError`."""
        bindings = self.inspect()["NetworkSettings"]["Ports"].get(f"{port}/tcp")
        if not bindings:
            raise ClusterError(
                "the port is not published",
                subject=f"node {self.name}",
                seen=port,
                next_step=f"docker start {self.name}",
            )
        return int(bindings[0]["HostPort"])

    # What only an engine can do to a node; used by faults on whole nodes.

    @property
    def status(self) -> str:
        """What the engine says of it: "running", "paused", "exited" …"""
        return str(self.inspect()["State"]["Status"])

    def pause(self) -> None:
        """Freeze every process of the node."""
        with engine_errors(f"node {self.name}"):
            self._client.api.pause(self.name)

    def unpause(self) -> None:
        """Let them go on."""
        with engine_errors(f"node {self.name}"):
            self._client.api.unpause(self.name)

    def kill(self) -> None:
        """End every process of the node at once, as a power cut does; returns when it is off."""
        with engine_errors(f"node {self.name}"):
            self._client.api.kill(self.name)
            self._client.api.wait(self.name, timeout=_OFF_WITHIN_S)

    def stop(self, *, timeout_s: int) -> None:
        """Ask the node to shut down; it is killed after `timeout_s`."""
        with engine_errors(f"node {self.name}"):
            self._client.api.stop(self.name, timeout=timeout_s)

    def start(self) -> None:
        """Start the node again, with its disks, name and address."""
        with engine_errors(f"node {self.name}"):
            self._client.api.start(self.name)

    def _wait(
        self, condition: Callable[[dict[str, Any]], bool], *, what: str, timeout_s: float
    ) -> None:
        last: list[object] = ["not read yet"]

        def reached() -> bool:
            try:
                node = self._kube().get("Node", self.name)
            except Transient as error:
                last[0] = str(error)
                return False
            last[0] = brief(node)
            return condition(node)

        wait_until(
            reached,
            what=f"node {self.name} to be {what}",
            timeout_s=timeout_s,
            interval_s=_INTERVAL_S,
            seen=lambda: last[0],
            next_step=f"chaoskit cluster shell {self.name}",
        )


_ABSENCE_TAINTS = frozenset(
    {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/network-unavailable",
        "node.cloudprovider.kubernetes.io/uninitialized",
    }
)


def ready_status(node: dict[str, Any]) -> str:
    """The Ready condition of a Node object: "True", "False" or "Unknown"."""
    for condition in node.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            return str(condition["status"])
    return "Unknown"


def absence_taints(node: dict[str, Any]) -> tuple[str, ...]:
    """The taints that say the node is not (or not yet) there."""
    taints = node.get("spec", {}).get("taints") or ()
    return tuple(sorted(taint["key"] for taint in taints if taint["key"] in _ABSENCE_TAINTS))


def is_ready(node: dict[str, Any]) -> bool:
    """Whether pods can run on it now."""
    return (
        ready_status(node) == "True"
        and bool(node.get("spec", {}).get("podCIDR"))
        and not absence_taints(node)
    )


def brief(node: dict[str, Any]) -> str:
    """A Node object in one line."""
    pods = node.get("spec", {}).get("podCIDR", "no podCIDR")
    taints = ", ".join(absence_taints(node)) or "no taints of absence"
    return f"{node['metadata']['name']}: Ready={ready_status(node)}, {pods}, {taints}"
