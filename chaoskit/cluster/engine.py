"""The container engine: where it answers, what it is, and which rights it can give a node."""

import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
from docker.errors import DockerException

from chaoskit.errors import EngineError

ANSWER_TIMEOUT_S = 10.0
NODE_IMAGE_NAMES = ("chaoskit/node:", "rancher/k3s:")

# Bits 0..40 of a capability set, in the kernel's order (include/uapi/linux/capability.h).
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip
# Engines before 23.0 refuse these three by name as invalid (measured with 20.10).
_YOUNG_CAPABILITIES = frozenset({"PERFMON", "BPF", "CHECKPOINT_RESTORE"})
_YOUNG_SINCE_MAJOR = 23


@dataclass(frozen=True, kw_only=True)
class Rights:
    """How a node's container gets the rights it needs.

    Either `privileged`, or `capabilities` by name (with seccomp and apparmor unconfined).
    `because` is the reason in one sentence. `certain` is False where the engine runs elsewhere
    and its bounding set cannot be read; the launcher finds out when it starts the first node.
    """

    privileged: bool
    capabilities: tuple[str, ...]
    because: str
    certain: bool = True


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that answers. `daemon_pid` is known only where it runs on this machine."""

    endpoint: str
    version: str
    api_version: str
    storage_driver: str
    cgroup_version: str
    cgroup_driver: str
    data_root: str
    rootless: bool
    rights: Rights
    daemon_pid: int | None = None


@dataclass(frozen=True, kw_only=True)
class Silence:
    """An endpoint at which nothing usable answered, and what was seen there."""

    endpoint: str
    seen: str


def endpoints(environment: Mapping[str, str], *, home: Path | None = None) -> tuple[str, ...]:
    """Where an engine may answer, best first, as docker's own clients would look.

    `DOCKER_HOST` alone if it is set: it is an explicit choice, and falling back from it would
    touch an engine that nobody named.
    """
    if named := environment.get("DOCKER_HOST"):
        return (named,)
    home = home if home is not None else Path.home()
    found = [*_context_endpoint(environment, home), "unix:///var/run/docker.sock"]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        found.append(f"unix://{runtime}/docker.sock")
    found.append(f"unix://{home}/.docker/run/docker.sock")
    return tuple(dict.fromkeys(found))


def _context_endpoint(environment: Mapping[str, str], home: Path) -> Iterator[str]:
    """The endpoint of docker's current context, from the files its command line keeps."""
    folder = Path(environment.get("DOCKER_CONFIG", home / ".docker"))
    config = folder / "config.json"
    name = environment.get("DOCKER_CONTEXT")
    if not name and config.is_file():
        name = json.loads(config.read_text()).get("currentContext")
    if not name or name == "default":
        return
    for file in sorted(folder.glob("contexts/meta/*/meta.json")):
        meta = json.loads(file.read_text())
        if meta.get("Name") == name:
            yield meta["Endpoints"]["docker"]["Host"]


def find(environment: Mapping[str, str] = os.environ) -> Engine | tuple[Silence, ...]:
    """The first engine that answers, or what was seen at each place that was asked."""
    silences = []
    for endpoint in endpoints(environment):
        answer = ask(endpoint)
        if isinstance(answer, Engine):
            return answer
        silences.append(answer)
    return tuple(silences)


def require(environment: Mapping[str, str] = os.environ) -> Engine:
    """The engine that answers; raises `EngineError` with all that was tried."""
    found = find(environment)
    if isinstance(found, Engine):
        return found
    raise EngineError(
        "no container engine answers",
        seen="; ".join(f"{silence.endpoint}: {silence.seen}" for silence in found),
        next_step="chaoskit doctor --fix (installs and starts one, as root on Debian's family)",
    )


def ask(endpoint: str) -> Engine | Silence:
    """Ask the engine at `endpoint` who it is, waiting at most `ANSWER_TIMEOUT_S`."""
    path = socket_path(endpoint)
    if path is not None and (reason := _refusal(path)) is not None:
        return Silence(endpoint=endpoint, seen=reason)
    try:
        client = docker.DockerClient(base_url=endpoint, timeout=ANSWER_TIMEOUT_S, version="auto")
        try:
            version, info = client.version(), client.info()
        finally:
            client.close()
    except (DockerException, OSError) as error:
        return Silence(endpoint=endpoint, seen=_reason(error))
    daemon_pid = None if path is None else _daemon_pid(path)
    options = info.get("SecurityOptions") or []
    return Engine(
        endpoint=endpoint,
        version=str(version["Version"]),
        api_version=str(version["ApiVersion"]),
        storage_driver=str(info.get("Driver", "unknown")),
        cgroup_version=str(info.get("CgroupVersion", "1")),
        cgroup_driver=str(info.get("CgroupDriver", "unknown")),
        data_root=str(info.get("DockerRootDir", "unknown")),
        rootless=any("rootless" in option for option in options),
        rights=rights(
            bounding=None if daemon_pid is None else _bounding_set(daemon_pid),
            engine_version=str(version["Version"]),
        ),
        daemon_pid=daemon_pid,
    )


def node_images(engine: Engine) -> tuple[str, ...]:
    """The references of node images that the engine holds. Raises `EngineError`."""
    try:
        client = docker.DockerClient(
            base_url=engine.endpoint, timeout=ANSWER_TIMEOUT_S, version="auto"
        )
        try:
            images = client.api.images()
        finally:
            client.close()
    except (DockerException, OSError) as error:
        raise EngineError(
            "the engine stopped answering", subject=engine.endpoint, seen=_reason(error)
        ) from error
    references = (tag for image in images for tag in image.get("RepoTags") or ())
    return tuple(sorted(tag for tag in references if tag.startswith(NODE_IMAGE_NAMES)))


def socket_path(endpoint: str) -> Path | None:
    """The file of a unix-socket endpoint; None for any other."""
    scheme, _, path = endpoint.partition("://")
    return Path(path) if scheme == "unix" else None


def rights(*, bounding: int | None, engine_version: str) -> Rights:
    """Privileged if the engine itself has every capability, else those that it has by name.

    `bounding` is the engine's bounding set as a bit mask. A privileged container asks for all
    capabilities, and the runtime fails with "unable to apply caps" if one of them is not there
    to give.
    """
    if bounding is None:
        return Rights(
            privileged=True,
            capabilities=(),
            because="the engine runs elsewhere; taken as usual until a node is refused",
            certain=False,
        )
    major = int(engine_version.partition(".")[0] or 0)
    known = [
        name for name in CAPABILITIES
        if major >= _YOUNG_SINCE_MAJOR or name not in _YOUNG_CAPABILITIES
    ]  # fmt: skip
    lacking = [name for name in known if not bounding >> CAPABILITIES.index(name) & 1]
    if not lacking:
        return Rights(privileged=True, capabilities=(), because="the engine has every capability")
    return Rights(
        privileged=False,
        capabilities=tuple(name for name in known if name not in lacking),
        because=f"the engine itself lacks {', '.join(lacking)}, so privileged is refused",
    )


def _bounding_set(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next(int(row.split()[1], 16) for row in status.splitlines() if row.startswith("CapBnd"))


def _refusal(path: Path) -> str | None:
    """Why nothing can be asked at a socket; None if somebody listens there.

    Asked before docker's client, which leaves its socket open when it is refused.
    """
    if not path.exists():
        return "no socket there"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            connection.connect(str(path))
        except OSError as error:
            return str(error)
    return None


def _daemon_pid(path: Path) -> int | None:
    """The daemon behind a socket: who listens there, or dockerd where systemd listens for it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            connection.connect(str(path))
        except OSError:
            return None
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    listener: int = struct.unpack("3i", credentials)[0]
    if listener > 1:
        return listener
    daemons = (one.pid for one in psutil.process_iter(["name"]) if one.info["name"] == "dockerd")
    return next(daemons, None)


def _reason(error: Exception) -> str:
    """The innermost cause: docker's client wraps "connection refused" four times over."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"{cause}" or type(cause).__name__
