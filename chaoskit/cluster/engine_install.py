"""Installing the container engine where this machine has none, and having it answer."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from chaoskit.cluster import engine, engine_process
from chaoskit.cluster.engine_state import Progress, locked, state_folder, tail, which
from chaoskit.errors import EngineError

# Debian's packages, by the program each is wanted for.
PACKAGES = {
    "dockerd": "docker.io",
    "iptables": "iptables",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
}
PACKAGE_LOCK_TIMEOUT_S = 180
INSTALL_TIMEOUT_S = 900


def absent_packages() -> tuple[str, ...]:
    """The packages whose programs are not there."""
    return tuple(package for program, package in PACKAGES.items() if which(program) is None)


def ensure_engine(progress: Progress) -> engine.Engine:
    """The engine that answers; installed and started first where there is none.

    Where one answers, nothing of the system is touched. Raises `EngineError`.
    """
    found = engine.find()
    if isinstance(found, engine.Engine):
        return found
    if named := os.environ.get("DOCKER_HOST"):
        raise EngineError(
            "DOCKER_HOST names an engine that does not answer",
            subject=named,
            seen=found[0].seen,
            next_step="start that engine, or unset DOCKER_HOST to have one started here",
        )
    with locked("engine"):
        # Whoever held the lock before us may have started one.
        found = engine.find()
        if isinstance(found, engine.Engine):
            return found
        _require_root()
        if absent := absent_packages():
            install(absent, progress)
        return engine_process.start(progress)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise EngineError(
            "no container engine answers, and only root can install or start one",
            seen=f"user id {os.geteuid()}",
            next_step="repeat as root, or start an engine and name it by DOCKER_HOST",
        )


def install(packages: Sequence[str], progress: Progress) -> None:
    """Install Debian packages, telling how far apt is. Raises `EngineError` with its words."""
    if which("apt-get") is None:
        raise EngineError(
            "this machine lacks programs, and has no apt-get to install them with",
            seen=f"absent: {', '.join(packages)}",
            next_step="install what these packages of Debian hold by this system's own means",
        )
    if any(Path("/var/lib/dpkg/updates").glob("[0-9]*")):
        progress("finishing an installation that was interrupted (dpkg --configure -a)")
        _apt(["dpkg", "--configure", "-a"], progress)
    options = ["-o", f"DPkg::Lock::Timeout={PACKAGE_LOCK_TIMEOUT_S}", "-q", "-y"]
    progress("apt-get update")
    _apt(["apt-get", *options, "update"], progress)
    progress(f"apt-get install {' '.join(packages)}")
    _apt(["apt-get", *options, "install", "--no-install-recommends", *packages], progress)


def _apt(argv: list[str], progress: Progress) -> None:
    """Run one command of the package system; apt's percentages arrive on a descriptor apart."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    log = state_folder() / "install.log"
    reader, writer = os.pipe()
    status_option = ["-o", f"APT::Status-Fd={writer}"] if argv[0] == "apt-get" else []
    with log.open("ab") as output, os.fdopen(reader) as status:
        process = subprocess.Popen(
            ["timeout", str(INSTALL_TIMEOUT_S), argv[0], *status_option, *argv[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
        )
        os.close(writer)
        for step in apt_steps(status):
            progress(step)
        code = process.wait()
    if code != 0:
        raise EngineError(
            f"{argv[0]} ended with status {code}",
            subject=" ".join(argv),
            seen=f"the end of {log}:\n{tail(log)}",
            next_step="put right what it names (network, package sources, disk) and repeat: it "
            "goes on where it stopped",
        )


def apt_steps(status: Iterable[str]) -> Iterator[str]:
    """At most one line for each ten percent, from apt's rows of `kind:package:percent:text`."""
    shown = ""
    for row in status:
        # What stands between may hold colons of its own ("libc6:amd64"), the percentage never.
        match = re.match(r"(dlstatus|pmstatus):.*?:(\d+)\.\d+:", row)
        if match is None:
            continue
        verb = "fetching" if match[1] == "dlstatus" else "installing"
        step = f"{verb} {int(match[2]) // 10 * 10:3d} %"
        if step != shown:
            shown = step
            yield step
