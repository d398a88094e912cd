"""What the kubelet's probes ask of a pod."""

from chaoskit.kube.kinds import Object

_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_OVER_THE_NETWORK = ("httpGet", "tcpSocket", "grpc")


def probed_ports(pod: Object) -> list[int]:
    """The ports that probes of any of its containers connect to, each once."""
    found: set[int] = set()
    for container in pod["spec"]["containers"]:
        named = {
            port["name"]: port["containerPort"]
            for port in container.get("ports", ())
            if "name" in port
        }
        for probe in _PROBES:
            for way in _OVER_THE_NETWORK:
                port = container.get(probe, {}).get(way, {}).get("port")
                if port is not None:
                    found.add(int(named.get(port, port)))
    return sorted(found)
