"""A Service: where clients reach it, and who answers."""

import socket
from dataclasses import dataclass, field
from typing import Self

from chaoskit.errors import KubernetesError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import UNRECORDED, StepLog

#: A node of the cluster's own network takes well under a millisecond; a busy one some tens.
_ACCEPTED_WITHIN_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One address behind a Service; `ready` as its EndpointSlice says."""

    address: str
    pod: str | None
    node: str | None
    ready: bool


@dataclass(frozen=True, kw_only=True)
class Service:
    """One Service.

    `inside_port`, a name or number, says that clients are in the cluster: that port at the
    Service's own address is where they reach it, and no node's port.
    """

    kube: Kube = field(repr=False)
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)
    inside_port: int | str | None = None

    @classmethod
    def named(cls, kube: Kube, namespace: str, name: str, steps: StepLog = UNRECORDED) -> Self:
        """The Service of that name, whether it exists yet or not."""
        return cls(kube=kube, ref=ObjectRef("Service", namespace, name), steps=steps)

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get("Service", self.ref.name, self.ref.namespace)

    def apply(self, manifest: Object) -> None:
        """Create or change it to what `manifest` says."""
        with self.steps.step("apply", self.ref):
            self.kube.apply(manifest)

    def set_selector(self, selector: dict[str, str]) -> None:
        """Send its traffic to other pods: the labels given replace the selector."""
        operations = [{"op": "replace", "path": "/spec/selector", "value": selector}]
        with self.steps.step("set_selector", self.ref, detail=str(selector)):
            self.kube.patch("Service", self.ref.name, self.ref.namespace, operations, style="json")

    def delete(self) -> None:
        """Delete it."""
        with self.steps.step("delete", self.ref):
            self.kube.delete("Service", self.ref.name, self.ref.namespace)

    @property
    def node_port(self) -> int:
        """The port on every node. Raises `KubernetesError` when it has none."""
        port = self.read()["spec"]["ports"][0].get("nodePort")
        if port is None:
            raise KubernetesError(
                "has no node port",
                subject=str(self.ref),
                next_step="make it of type NodePort to reach it from outside the cluster",
            )
        return int(port)

    @property
    def client_port(self) -> int:
        """The port that clients connect to. Raises `KubernetesError` when there is none."""
        if self.inside_port is None:
            return self.node_port
        ports = self.read()["spec"]["ports"]
        for port in ports:
            if self.inside_port in (port.get("name"), port["port"]):
                return int(port["port"])
        raise KubernetesError(
            "has no such port",
            subject=f"{self.ref}, port {self.inside_port}",
            seen=", ".join(str(port.get("name") or port["port"]) for port in ports),
        )

    @property
    def cluster_address(self) -> tuple[str, int]:
        """Its address inside the cluster."""
        spec = self.read()["spec"]
        return str(spec["clusterIP"]), int(spec["ports"][0]["port"])

    def addresses(self) -> dict[str, tuple[str, int]]:
        """By node name: the node's own address and the node port."""
        port = self.node_port
        return {name: (address, port) for name, address in node_addresses(self.kube).items()}

    def endpoints(self) -> list[Endpoint]:
        """Who stands behind it now, by address."""
        slices = self.kube.list(
            "EndpointSlice",
            self.ref.namespace,
            labels={"kubernetes.io/service-name": self.ref.name},
        )
        found = {}
        for item in slices:
            for endpoint in item.get("endpoints") or []:
                address = endpoint["addresses"][0]
                found[address] = Endpoint(
                    address=address,
                    pod=(endpoint.get("targetRef") or {}).get("name"),
                    node=endpoint.get("nodeName"),
                    # absent means unknown, to be taken as ready (the API's own words)
                    ready=endpoint.get("conditions", {}).get("ready", True),
                )
        return [found[address] for address in sorted(found)]

    def wait_endpoints(self, ready: int, timeout_s: float) -> None:
        """Wait until exactly that many endpoints are ready."""
        last: list[Endpoint] = []

        def attempt() -> bool:
            nonlocal last
            last = self.endpoints()
            return sum(endpoint.ready for endpoint in last) == ready

        wait_seen(
            attempt,
            what=f"{self.ref} to have {ready} ready endpoints",
            timeout_s=timeout_s,
            seen=lambda: last,
            next_step="compare its selector with the pods' labels, and see their readiness",
        )

    def wait_answering(self, timeout_s: float) -> None:
        """Wait until its node port accepts on every node: kube-proxy follows a second later.

        Before that a node refuses what its ready endpoints would have answered.
        """
        silent: dict[str, tuple[str, int]] = {}

        def attempt() -> bool:
            nonlocal silent
            silent = {name: at for name, at in self.addresses().items() if not _accepts(at)}
            return not silent

        wait_seen(
            attempt,
            what=f"{self.ref} to accept connections on every node",
            timeout_s=timeout_s,
            seen=lambda: f"nothing accepts at {silent}",
            next_step="see its ready endpoints, and kube-proxy's log on those nodes",
        )


def _accepts(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=_ACCEPTED_WITHIN_S):
            return True
    except OSError:
        return False


def node_addresses(kube: Kube) -> dict[str, str]:
    """By node name: the node's address on the cluster's own network."""
    found: dict[str, str] = {}
    for node in kube.list("Node"):
        for address in node.get("status", {}).get("addresses", []):
            if address["type"] == "InternalIP" and "." in address["address"]:
                found.setdefault(node["metadata"]["name"], address["address"])
    return found
