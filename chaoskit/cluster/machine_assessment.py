"""Whether this machine can do what is wanted of it: a pure judgement of facts, row by row."""

from dataclasses import dataclass
from typing import Literal

from chaoskit.cluster.images import EXTRAS
from chaoskit.cluster.launch import inotify
from chaoskit.cluster.machine import Facts

PYTHON_WANTED = (3, 11)
# Measured: packages 0.5 GB, Go caches 3 GB, node image 0.6 GB, three nodes with their data 2 GB.
DISK_WANTED_BYTES = 8 * 10**9
# With the node image there, only containers and records are added.
DISK_WANTED_WARM_BYTES = 3 * 10**9

# So many a person may have on one machine before its limit of inotify instances is worth a line.
_CLUSTERS_AT_ONCE = 5

# test-all: what `make test-all` runs beyond `make test`, which looks at reports in a browser
# and has scenarios that need images of their own.
Purpose = Literal["unit", "test", "test-all", "demo"]
# ok: there. note: there is less than could be, and what follows from that. fixable: `--fix` does
# it. missing: a person has to.
State = Literal["ok", "note", "fixable", "missing"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing: what was seen of it, what that means, and the remedy where it is wrong."""

    name: str
    state: State
    seen: str
    meaning: str = ""
    remedy: str = ""


def assess(facts: Facts, purpose: Purpose) -> tuple[Row, ...]:
    """Judge each thing. The machine is usable when no row is fixable or missing."""
    rows = [_python(facts), _virtualenv(facts)]
    if purpose == "unit":
        return tuple(rows)
    return (
        *rows,
        _engine(facts),
        *_engine_details(facts),
        _cgroups(facts),
        _disk(facts),
        _node_image(facts),
        _specimens(facts),
        _go(facts),
        _mmdebstrap(facts),
        *_kernel(facts),
        *_inotify(facts),
        *([_extras(facts), _browser(facts)] if purpose == "test-all" else []),
    )


def is_usable(rows: tuple[Row, ...]) -> bool:
    """Whether nothing is left to do, by us or by a person."""
    return all(row.state in {"ok", "note"} for row in rows)


def _python(facts: Facts) -> Row:
    seen = ".".join(map(str, facts.python))
    if facts.python >= PYTHON_WANTED:
        return Row(name="Python", state="ok", seen=seen)
    return Row(
        name="Python",
        state="missing",
        seen=seen,
        meaning="3.11 or newer is needed",
        remedy="install a newer Python and repeat with PYTHON=/path/to/python3 make setup",
    )


def _virtualenv(facts: Facts) -> Row:
    if facts.virtualenv:
        return Row(name="virtualenv", state="ok", seen=facts.virtualenv)
    return Row(
        name="virtualenv",
        state="note",
        seen="none",
        meaning="the versions of the lock file are not assured",
        remedy="make setup",
    )


def _engine(facts: Facts) -> Row:
    if (engine := facts.engine) is not None:
        ours = engine.daemon_pid is not None and engine.daemon_pid == facts.started_pid
        return Row(
            name="container engine",
            state="ok",
            seen=f"{engine.version} (API {engine.api_version}) at {engine.endpoint}",
            meaning="started by chaoskit; `chaoskit doctor --stop-engine` stops it"
            if ours
            else "used as it is, nothing of the system is touched",
        )
    seen = "none answers: " + "; ".join(f"{one.endpoint}: {one.seen}" for one in facts.silences)
    if facts.docker_host:
        remedy = "start the engine that DOCKER_HOST names, or unset DOCKER_HOST"
    elif not facts.root and any("Permission denied" in one.seen for one in facts.silences):
        remedy = "repeat as root, or let this user join the group that may use the engine's socket"
    elif not facts.root:
        remedy = "repeat as root, or start an engine, or name one by DOCKER_HOST"
    elif facts.programs["dockerd"]:
        how = "systemctl start docker" if facts.systemd else "start dockerd in the background"
        return Row(name="container engine", state="fixable", seen=seen, meaning=how)
    elif facts.apt:
        meaning = "apt-get install docker.io, then start it"
        return Row(name="container engine", state="fixable", seen=seen, meaning=meaning)
    else:
        remedy = "no apt-get here: install an engine by this system's own means and start it"
    return Row(
        name="container engine",
        state="missing",
        seen=seen,
        meaning="clusters are made of containers",
        remedy=remedy,
    )


def _engine_details(facts: Facts) -> tuple[Row, ...]:
    engine = facts.engine
    if engine is None:
        return ()
    if engine.rootless:
        return (
            Row(
                name="rights of nodes",
                state="missing",
                seen="the engine is rootless",
                meaning="a node needs devices and cgroups that a rootless engine cannot give",
                remedy="name an engine of root by DOCKER_HOST",
            ),
        )
    rights = engine.rights
    means = "privileged" if rights.privileged else f"{len(rights.capabilities)} capabilities named"
    return (
        Row(
            name="rights of nodes",
            state="ok" if rights.privileged and rights.certain else "note",
            seen=means,
            meaning=rights.because,
        ),
        Row(name="storage driver", state="ok", seen=engine.storage_driver),
    )


def _cgroups(facts: Facts) -> Row:
    if facts.engine is not None:
        seen = f"v{facts.engine.cgroup_version} by {facts.engine.cgroup_driver}"
        old = facts.engine.cgroup_version == "1"
        return Row(
            name="cgroups",
            state="note" if old else "ok",
            seen=seen,
            meaning="kubelets are told to accept v1" if old else "",
        )
    if facts.cgroups == "none":
        return Row(
            name="cgroups",
            state="missing",
            seen="none mounted",
            meaning="an engine cannot start without them",
            remedy="mount -t cgroup2 none /sys/fs/cgroup",
        )
    return Row(name="cgroups", state="ok", seen=facts.cgroups)


def _disk(facts: Facts) -> Row:
    wanted = DISK_WANTED_WARM_BYTES if facts.node_images else DISK_WANTED_BYTES
    seen = f"{facts.disk_free_bytes / 1e9:.1f} GB free for {facts.disk_path}"
    if facts.disk_free_bytes >= wanted:
        return Row(name="disk", state="ok", seen=seen)
    return Row(
        name="disk",
        state="missing",
        seen=seen,
        meaning=f"{wanted / 1e9:.0f} GB are needed",
        remedy="free some space there (docker system df shows what the engine holds)",
    )


def _node_image(facts: Facts) -> Row:
    if facts.node_images:
        return Row(name="node image", state="ok", seen=", ".join(facts.node_images))
    if facts.engine is None:
        return Row(
            name="node image",
            state="fixable",
            seen="no engine to hold one yet",
            meaning="pulled where a registry is reachable, else built",
        )
    return Row(
        name="node image",
        state="fixable",
        seen="not in the engine",
        meaning="pulled where a registry is reachable, else built (minutes, once)",
    )


def _specimens(facts: Facts) -> Row:
    name = "specimen images"
    if facts.specimens:
        return Row(name=name, state="ok", seen=f"{len(facts.specimens)} versions")
    seen = "not in the engine" if facts.engine else "no engine to hold them yet"
    return Row(name=name, state="fixable", seen=seen, meaning="built (Go, seconds)")


def _extras(facts: Facts) -> Row:
    """Built in the middle of a session they would take the processors from what is measured."""
    name, absent = "extra images", sorted(set(EXTRAS) - set(facts.extras))
    if not absent:
        return Row(name=name, state="ok", seen=", ".join(facts.extras))
    return Row(
        name=name,
        state="fixable",
        seen=f"without {', '.join(absent)}" if facts.engine else "no engine to hold them yet",
        meaning="built (minutes, once)",
    )


def _go(facts: Facts) -> Row:
    if facts.go is not None:
        return Row(name="Go", state="ok", seen=facts.go)
    return Row(
        name="Go",
        state="note" if facts.specimens else "missing",
        seen=facts.go_problem,
        meaning="" if facts.specimens else "the specimen, the application under test, is built",
        remedy="" if facts.specimens and facts.node_images else facts.go_remedy,
    )


def _mmdebstrap(facts: Facts) -> Row:
    if facts.programs["mmdebstrap"]:
        return Row(name="mmdebstrap", state="ok", seen="there")
    if facts.engine is None and facts.root and facts.apt:
        return Row(name="mmdebstrap", state="note", seen="absent", meaning="comes with the engine")
    return Row(
        name="mmdebstrap",
        state="note",
        seen="absent",
        meaning="" if facts.node_images else "the node image can be pulled but not built",
        remedy="apt-get install mmdebstrap",
    )


def _browser(facts: Facts) -> Row:
    if facts.programs["chromium"]:
        return Row(name="browser", state="ok", seen="chromium")
    meaning = "reports are tested in it: apt-get install chromium"
    if facts.root and facts.apt:
        return Row(name="browser", state="fixable", seen="absent", meaning=meaning)
    return Row(
        name="browser",
        state="missing",
        seen="absent",
        meaning="reports are tested in it",
        remedy="install Chromium by this system's own means, so that `chromium` is in the PATH"
        if not facts.apt
        else "repeat as root, or have apt-get install chromium",
    )


# What is done instead where the kernel lacks something.
_WITHOUT = {
    "netem": "latency by NFQUEUE in the node agent; no duplicate, corrupt",
    "nfqueue": "no latency where netem is absent too",
    "tbf": "no bandwidth fault",
    "ipvs": "kube-proxy by iptables only",
    "br_netfilter": "services may miss pods on the same node",
    "vxlan": "host routes between nodes instead of an overlay",
    "overlayfs": "slow snapshots",
}


def _kernel(facts: Facts) -> tuple[Row, ...]:
    support = facts.kernel
    there = [name for name, how in support.items() if how in {"built in", "as a module"}]
    absent = [name for name, how in support.items() if how == "absent"]
    unknown = [name for name, how in support.items() if how == "unknown"]
    rows = [
        Row(
            name="kernel",
            state="ok",
            seen=facts.kernel_release,
            meaning=f"has {', '.join(there)}" if there else "",
        )
    ]
    rows += [
        Row(name=f"kernel: {name}", state="note", seen="absent", meaning=_WITHOUT[name])
        for name in absent
    ]
    if unknown:
        rows.append(
            Row(
                name="kernel features",
                state="note",
                seen="unknown: the kernel does not show its configuration",
                meaning=f"found out when used: {', '.join(unknown)}",
            )
        )
    return tuple(rows)


def _inotify(facts: Facts) -> tuple[Row, ...]:
    limit, of_a_cluster = facts.inotify_instances, inotify.taken_by(1, 2)
    if limit is None or limit >= _CLUSTERS_AT_ONCE * of_a_cluster:
        return ()
    return (
        Row(
            name="inotify instances",
            state="note",
            seen=str(limit),
            meaning=f"enough for {limit // of_a_cluster} clusters of 1+2 nodes at once, if nothing "
            "else takes them; one more is refused",
            remedy="for several clusters at once: sysctl fs.inotify.max_user_instances=1024",
        ),
    )
