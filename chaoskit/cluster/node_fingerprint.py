"""What of a node must be after a fault as it was before: read in one go, as sorted lines."""

import re
from collections.abc import Callable, Iterable

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.network_tables import network_namespaces, tables_in
from chaoskit.errors import ChaoskitError

#: Read by one shell in the node; each part behind a line with its name.
_SCRIPT = r"""
part() { echo "#part $1"; }
part links; ip -o link show
part addresses; ip -o addr show
part routes; ip route show table all; ip -6 route show table all
part rules; ip rule show
part queues; tc qdisc show; tc filter show
part iptables
# kube-proxy's own rules name the namespace of a Service, and follow its pods.
for save in iptables-save ip6tables-save; do
  $save 2>/dev/null | grep -i chaos | grep -v -e '^-A KUBE-' -e '^:KUBE-'
done
part mounts; cat /proc/1/mountinfo
part processes
for folder in /proc/[0-9]*; do
  read -r stat < "$folder/stat" && echo "$stat" | sed 's/^[0-9]* (.*) \(.\).*/\1/' |
    tr '\n' ' ' && tr '\0' ' ' < "$folder/cmdline" | cut -c1-200 && echo
done 2>/dev/null
part freezers
grep -Lrx THAWED --include freezer.state /sys/fs/cgroup 2>/dev/null
grep -lrx 1 --include cgroup.freeze /sys/fs/cgroup 2>/dev/null
part files
# The engine's own lines in it, which stay when the node leaves a network, are left out.
grep -v "$(hostname)$" /etc/hosts | cksum | sed 's|$| /etc/hosts|'
for file in /etc/resolv.conf /etc/cni/net.d/* /var/lib/rancher/k3s/agent/etc/cni/net.d/*
do [ -f "$file" ] && cksum "$file"; done
true
"""
_READ_WITHIN_S = 20.0

#: The components of a node, as their command lines begin; all others come and go with pods.
_COMPONENTS = (
    "kubelet", "kube-proxy", "kube-apiserver", "kube-scheduler", "kube-controller-manager",
    "etcd", "containerd", "k3s", "nodeagent",
)  # fmt: skip
#: Mounts below these belong to pods and images.
_OF_PODS = re.compile(
    r"/run/(k3s|containerd|netns)|/var/lib/kubelet/(pods|plugins)|/var/lib/rancher/k3s/agent/contai"
)
#: Tables that kube-proxy and the network plug-in make when they first need them.
_OF_KUBERNETES = re.compile(r"\S+ (nat|filter|mangle|raw|security|kube-proxy|cni_hostport)")
_STATES = {"T": "stopped", "t": "traced", "Z": "dead"}

Parts = dict[str, list[str]]


def node_lines(node: ContainerNode) -> Parts:
    """The parts of a node and their lines. What cannot be read is a line that says so."""
    inspected = node.inspect()
    state = inspected["State"]
    networks = inspected["NetworkSettings"]["Networks"]
    parts: Parts = {
        "container": [f"{state['Status']}, exit code {state['ExitCode']}"],
        "networks": sorted(f"{name} {one['IPAddress']}" for name, one in networks.items()),
        "tables": _tables(str(inspected["Id"])),
    }
    if state["Status"] == "running":
        parts |= _readable("agent", lambda: _of_agent(node))
        parts |= _readable("node", lambda: _of_shell(node))
    return parts


def _readable(name: str, read: Callable[[], Parts]) -> Parts:
    try:
        return read()
    except ChaoskitError as error:
        return {name: [f"cannot be read: {error.problem}"]}


def _of_agent(node: ContainerNode) -> Parts:
    """What the agent itself says that it has open."""
    open_faults = node.agent.call("faults")["open"]
    return {"faults": sorted(f"{one['kind']} on {one['key']}" for one in open_faults)}


def _of_shell(node: ContainerNode) -> Parts:
    completed = node.execute(["sh", "-c", _SCRIPT], timeout_s=_READ_WITHIN_S)
    raw: Parts = {}
    lines: list[str] = []
    for line in completed.stdout.splitlines():
        if line.startswith("#part "):
            lines = raw.setdefault(line.removeprefix("#part "), [])
        elif line.strip():
            lines.append(line)
    return {name: sorted(set(_READERS.get(name, _as_is)(lines))) for name, lines in raw.items()}


def _as_is(lines: Iterable[str]) -> Iterable[str]:
    return (" ".join(line.split()) for line in lines)


def _links(lines: Iterable[str]) -> Iterable[str]:
    """Without what follows from pods that come and go: their links, and the bridge's carrier."""
    for line in lines:
        match = re.match(r"\d+: ([^:@]+)(?:@\S+)?: <([^>]*)> mtu (\d+)", line)
        if match is None:
            yield line
            continue
        name, flags, mtu = match[1], set(match[2].split(",")), match[3]
        is_up = "up" if "UP" in flags else "down"
        if name.startswith("veth"):
            if is_up == "down":
                yield f"{name} of a pod is down"
        elif name == "cni0":
            yield f"{name} {is_up} mtu {mtu}"
        else:
            yield f"{name} {','.join(sorted(flags))} mtu {mtu}"


def _addresses(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        _, name, family, address, *_ = line.split()
        if not name.startswith("veth") and not address.startswith("fe80:"):
            yield f"{name} {family} {address}"


def _routes(lines: Iterable[str]) -> Iterable[str]:
    """Without those of the kernel's own, and of links of pods."""
    for line in lines:
        words = line.replace("linkdown", "").split()
        if "dev veth" in line or "table local" in line or line.startswith(("fe80:", "multicast")):
            continue
        yield " ".join(words)


def _queues(lines: Iterable[str]) -> Iterable[str]:
    """All but what a link has from the start."""
    return (
        re.sub(r"refcnt \d+ ?", "", line).strip()
        for line in lines
        if not line.startswith("qdisc noqueue 0:")
    )


def _mounts(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4]
        if not _OF_PODS.match(point):
            yield f"{point} {after.split()[0]}"


def _processes(lines: Iterable[str]) -> Iterable[str]:
    """The components, and whatever is stopped."""
    for line in lines:
        state, *words = line.split()
        if not words:
            continue
        name = words[0].rpartition("/")[2]
        said = _STATES.get(state, "runs")
        if name == "nodeagent" and words[1:2] == ["connect"]:
            continue
        if name in _COMPONENTS or said in ("stopped", "traced"):
            verb = f" {words[1]}" if name in ("k3s", "nodeagent") and len(words) > 1 else ""
            yield f"{name}{verb} {said}"


_READERS: dict[str, Callable[[Iterable[str]], Iterable[str]]] = {
    "links": _links,
    "addresses": _addresses,
    "routes": _routes,
    "queues": _queues,
    "mounts": _mounts,
    "processes": _processes,
}


def _tables(container_id: str) -> list[str]:
    """Tables of the node's network and of its pods' that Kubernetes has not made."""
    tables: list[str] = []
    for space in network_namespaces(container_id).values():
        try:
            tables += tables_in(space)
        except OSError as error:
            if space.exists():  # else it went with its pod meanwhile
                return [f"cannot be read: {error.strerror}"]
    return sorted({table for table in tables if not _OF_KUBERNETES.fullmatch(table)})
