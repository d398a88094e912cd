"""What this machine has: gathered as plain facts, judged elsewhere (machine_assessment.py)."""

import gzip
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaoskit.cluster import engine_process, go_toolchain, image_sources, images
from chaoskit.cluster.engine import Engine, Silence, find, node_images
from chaoskit.cluster.engine_state import which
from chaoskit.cluster.launch import inotify
from chaoskit.cluster.launch.node_image import K3S
from chaoskit.errors import ImageError

Cgroups = Literal["v1", "v2", "hybrid", "none"]
KernelSupport = Literal["built in", "as a module", "absent", "unknown"]

# What of the kernel faults and services need, by its configuration's name.
KERNEL_OPTIONS = {
    "netem": "CONFIG_NET_SCH_NETEM",
    "nfqueue": "CONFIG_NETFILTER_XT_TARGET_NFQUEUE",
    "tbf": "CONFIG_NET_SCH_TBF",
    "ipvs": "CONFIG_IP_VS",
    "br_netfilter": "CONFIG_BRIDGE_NETFILTER",
    "vxlan": "CONFIG_VXLAN",
    "overlayfs": "CONFIG_OVERLAY_FS",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was seen on this machine. Nothing in here is an opinion.

    `silences` say what each endpoint answered where `engine` is None. `node_images` are the
    usable ones that the engine holds, `specimens` the images of our test application, `extras`
    the kinds of what only some scenarios ask for.
    `disk_free_bytes` is for the engine's data, on `disk_path`. `go` is the version of a toolchain
    that can build them; without one, `go_problem` and `go_remedy` say why and what to do.
    `inotify_instances` is how many of them all containers of a user may have together.
    """

    python: tuple[int, int, int]
    virtualenv: str | None
    root: bool
    systemd: bool
    apt: bool
    docker_host: str | None
    programs: dict[str, bool]
    engine: Engine | None
    silences: tuple[Silence, ...]
    started_pid: int | None
    cgroups: Cgroups
    disk_path: str
    disk_free_bytes: int
    go: str | None
    go_problem: str
    go_remedy: str
    node_images: tuple[str, ...]
    specimens: tuple[str, ...]
    extras: tuple[str, ...]
    kernel_release: str
    kernel: dict[str, KernelSupport]
    inotify_instances: int | None


def gather() -> Facts:
    """Look at everything once; changes nothing."""
    found = find()
    answering = found if isinstance(found, Engine) else None
    started = engine_process.started_engine()
    disk_path = _existing(Path(answering.data_root if answering else "/var/lib/docker"))
    config = kernel_configuration()
    held = held_images(answering) if answering else Held()
    go, go_problem, go_remedy = _go()
    return Facts(
        python=sys.version_info[:3],
        virtualenv=sys.prefix if sys.prefix != sys.base_prefix else None,
        root=os.geteuid() == 0,
        systemd=Path("/run/systemd/system").is_dir(),
        apt=which("apt-get") is not None,
        docker_host=os.environ.get("DOCKER_HOST"),
        programs={
            program: which(program) is not None
            for program in ("dockerd", "iptables", "ip", "mmdebstrap", "chromium")
        },
        engine=answering,
        silences=() if isinstance(found, Engine) else found,
        started_pid=started.pid if started else None,
        cgroups=mounted_cgroups(Path("/proc/self/mounts").read_text()),
        disk_path=str(disk_path),
        disk_free_bytes=shutil.disk_usage(disk_path).free,
        go=go,
        go_problem=go_problem,
        go_remedy=go_remedy,
        node_images=held.nodes,
        specimens=held.specimens,
        extras=held.extras,
        kernel_release=platform.release(),
        kernel={name: kernel_support(config, key) for name, key in KERNEL_OPTIONS.items()},
        inotify_instances=inotify.limit(),
    )


def mounted_cgroups(mounts: str) -> Cgroups:
    """Which cgroup hierarchies are mounted, from the text of /proc/mounts."""
    kinds = {
        fields[2]: fields[1]
        for fields in (row.split() for row in mounts.splitlines())
        if len(fields) > 2 and fields[2] in {"cgroup", "cgroup2"}
    }
    if not kinds:
        return "none"
    if kinds.keys() == {"cgroup2"}:
        return "v2"
    return "v1" if kinds.keys() == {"cgroup"} else "hybrid"


def kernel_configuration() -> str | None:
    """The running kernel's configuration, where it or the distribution shows it."""
    shown = Path("/proc/config.gz")
    if shown.exists():
        return gzip.decompress(shown.read_bytes()).decode()
    release = platform.release()
    for file in (Path(f"/boot/config-{release}"), Path(f"/lib/modules/{release}/config")):
        if file.is_file() and os.access(file, os.R_OK):
            return file.read_text()
    return None


def kernel_support(config: str | None, option: str) -> KernelSupport:
    """Whether a kernel option is there, from the text of its configuration."""
    if config is None:
        return "unknown"
    match = re.search(rf"^{option}=([ym])$", config, re.MULTILINE)
    if match is None:
        return "absent"
    return "built in" if match[1] == "y" else "as a module"


def _go() -> tuple[str | None, str, str]:
    """The version of a usable Go; else what is wrong with it and what to do."""
    try:
        return go_toolchain.find(image_sources.versions().go).version, "", ""
    except ImageError as error:
        seen = "" if error.seen is None else f" ({error.seen})"
        return None, f"{error.problem}{seen}", error.next_step or ""


@dataclass(frozen=True, kw_only=True)
class Held:
    """The images that the engine holds: of nodes and specimens by name, of extras the kinds."""

    nodes: tuple[str, ...] = ()
    specimens: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def held_images(engine: Engine) -> Held:
    """Those that today's sources made or pin."""
    client = images.connect(engine)
    try:
        ours = [row for row in images.rows(client) if row.current]
    finally:
        client.close()
    node = tuple(row.reference for row in ours if row.kind == "node")
    pulled = tuple(name for name in node_images(engine) if name == K3S)
    return Held(
        nodes=node + pulled,
        specimens=tuple(row.reference for row in ours if row.kind == "specimen"),
        extras=tuple(sorted({row.kind for row in ours if row.kind in images.EXTRAS})),
    )


def _existing(path: Path) -> Path:
    """The nearest folder above that is there: the disk that a folder yet to be made is on."""
    return next(one for one in (path, *path.parents) if one.exists())
