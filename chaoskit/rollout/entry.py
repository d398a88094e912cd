"""The Service that requests are sent to, and its twin where it has no node port. Pure."""

from dataclasses import dataclass

from chaoskit.errors import UsageError
from chaoskit.kube.kinds import Object
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.workloads.namespace import MANAGED_BY

_REACHED = ("NodePort", "LoadBalancer")

#: What of a Service decides which pods answer, and which of them.
_SAME = ("selector", "publishNotReadyAddresses", "sessionAffinity", "sessionAffinityConfig")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where requests go: `service`, or `twin`, which is made beside it.

    `is_inside`: they come from inside of the cluster, to the Service's own address.
    """

    service: str
    port: int | str
    twin: Object | None = None
    is_inside: bool = False

    @property
    def name(self) -> str:
        """The Service with the node port."""
        return self.service if self.twin is None else str(self.twin["metadata"]["name"])

    def __str__(self) -> str:
        if self.twin is None:
            way = ", at its cluster address" if self.is_inside else ""
            return f"Service {self.service}, port {self.port}{way}"
        return f"Service {self.name}, a NodePort twin of {self.service}, port {self.port}"


def entry_of(
    facts: WorkloadFacts, service: str | None, port: str | None, *, is_inside: bool = False
) -> Entry:
    """Where the requests for a workload go in. Raises `UsageError` naming what there is.

    From inside of the cluster a Service is reached as it is, unless it has no address (headless).
    """
    chosen = _service(facts, service)
    spec, name = chosen["spec"], chosen["metadata"]["name"]
    ports = spec.get("ports") or []
    wanted = _port(name, ports, port)
    label = wanted.get("name") or wanted["port"]
    if is_inside and spec.get("clusterIP") != "None":
        return Entry(service=name, port=label, is_inside=True)
    if spec.get("type") in _REACHED and wanted is ports[0]:
        return Entry(service=name, port=label)
    twin_port = {"name": "load", "port": wanted["port"], "protocol": "TCP"}
    twin_port["targetPort"] = wanted.get("targetPort", wanted["port"])
    twin: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{name[:53]}-chaoskit",
            "namespace": facts.ref.namespace,
            "labels": dict(MANAGED_BY),
        },
        "spec": {
            "type": "NodePort",
            "ports": [twin_port],
            **{field: spec[field] for field in _SAME if field in spec},
        },
    }
    return Entry(service=name, port=label, twin=twin)


def _service(facts: WorkloadFacts, name: str | None) -> Object:
    names = [each["metadata"]["name"] for each in facts.services]
    if name is None:
        # Of a StatefulSet's two Services the headless one is for its members.
        heads = [each for each in facts.services if each["spec"].get("clusterIP") != "None"]
        candidates = heads or facts.services
    else:
        candidates = [each for each in facts.services if each["metadata"]["name"] == name]
    if len(candidates) == 1:
        return candidates[0]
    raise UsageError(
        f"no Service {name} selects its pods"
        if name
        else "no Service selects its pods"
        if not candidates
        else "more than one Service selects its pods",
        subject=str(facts.ref),
        seen=f"Services that do: {', '.join(names) or 'none'}; its pods' labels: {facts.labels}",
        next_step="name one with --service" if names else "add one to the manifests",
    )


def _port(service: str, ports: list[Object], wanted: str | None) -> Object:
    tcp = [port for port in ports if port.get("protocol", "TCP") == "TCP"]
    found = [port for port in tcp if wanted in (port.get("name"), str(port["port"]))]
    if wanted is None and tcp:
        # The first is what a person would take; "http" where it stands.
        return next((port for port in tcp if port.get("name") == "http"), tcp[0])
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"has no TCP port {wanted or ''}".rstrip(),
        subject=f"Service {service}",
        seen=", ".join(str(port.get("name") or port["port"]) for port in ports) or "no port",
        next_step="--port with its name or number",
    )
