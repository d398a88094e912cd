"""The image that runs chaoskit itself in a pod: Debian's Python, this very package, its libraries.

The libraries are those of this environment, version by version: what runs there is what runs here.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import chaoskit
from chaoskit.cluster.image_sources import FOLDER, digest, versions
from chaoskit.errors import ImageError

KIND = "runner"
_PACKAGE = Path(chaoskit.__file__).parent
_NAME = re.compile(r"[A-Za-z0-9._-]+")
#: Markers of what is not asked for on Linux; others are left to whoever installs.
_NOT_WANTED = re.compile(r"""\bextra\s*==|==\s*['"](win32|Windows|nt|cygwin)['"]""")
#: What is large in libraries and read by nothing of ours: builds against them, tests, Arrow's
#: services, the second client of Kubernetes. A record is written and read without them in a test.
_LEFT_OUT = (
    *("bin", "**/tests", "pyarrow/include", "pyarrow/src", "numpy/_core/include"),
    *("pyarrow/*flight*", "kubernetes/aio"),
)
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
#: The glibc that wheels may ask for: below that of any Debian since bullseye (2.31).
_GLIBC_MINORS = range(28, 16, -1)


@dataclass(frozen=True, kw_only=True)
class Pins:
    """What the base is made of: `python` is the version that the suite has, as "3.11"."""

    python: str
    packages: tuple[str, ...]


def pins() -> Pins:
    """Read the pins; raises `ImageError` when the package data is incomplete."""
    file = FOLDER / KIND / "pins.toml"
    try:
        found = tomllib.loads(file.read_text())
    except OSError as error:
        raise ImageError(
            "the sources of the runner's image are not there",
            subject=str(file),
            seen=error,
            next_step="install chaoskit again: they are part of the package",
        ) from error
    return Pins(python=found["python"], packages=tuple(found["packages"]))


def libraries() -> list[str]:
    """What chaoskit needs, directly or not, as "name==version" of this environment, sorted."""
    found: dict[str, str] = {}
    wanted = _needed(_installed("chaoskit"))
    while wanted:
        name = wanted.pop()
        if name in found or name == "chaoskit":
            continue
        try:
            library = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or Python than this
        found[name] = library.version
        wanted += _needed(library)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def inputs() -> str:
    """The hash of all that the image is made of."""
    code = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            code.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest((KIND,), versions().debian_suite, code.hexdigest(), *_direct(), *libraries())


def reference() -> str:
    """The name of the image that today's sources and libraries make. Raises `ImageError`."""
    return f"chaoskit/{KIND}:{chaoskit.__version__}-{inputs()}"


def base_reference() -> str:
    """The name of its base."""
    suite = versions().debian_suite
    return f"chaoskit/base:{suite}-python-{digest((f'{KIND}/pins.toml',), suite)}"


def assemble(into: Path, architecture: str) -> None:
    """Make the context of the build: libraries, chaoskit and its command.

    `architecture` as the engine names it ("amd64"). Raises `ImageError`.
    """
    site = into / "site"
    _install(into, site, architecture)
    for pattern in _LEFT_OUT:
        for found in list(site.glob(pattern)):
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink()
    shutil.copytree(_PACKAGE, site / "chaoskit", ignore=shutil.ignore_patterns("__pycache__"))
    # Of the installed distribution only what is asked for at run time: an editable one says besides
    # where its sources are, which is not there.
    metadata = site / f"chaoskit-{chaoskit.__version__}.dist-info"
    metadata.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (metadata / name).write_text(_installed("chaoskit").read_text(name) or "")
    command = into / "chaoskit"
    command.write_text(
        "#!/usr/bin/python3\nimport sys\n\nfrom chaoskit.cli import main\n\nsys.exit(main())\n"
    )
    command.chmod(0o755)
    shutil.copy(FOLDER / KIND / "Dockerfile", into / "Dockerfile")


def _install(work: Path, site: Path, architecture: str) -> None:
    """The libraries for the image's Python and machine, whatever those of this process are."""
    if architecture not in _ARCHITECTURES:
        raise ImageError(
            "no libraries are known for this architecture",
            subject="the engine's machine",
            seen=architecture,
            next_step=f"an engine on {' or '.join(_ARCHITECTURES)}",
        )
    wanted, pinned = work / "wanted.txt", work / "pinned.txt"
    wanted.write_text("\n".join(_direct()) + "\n")
    pinned.write_text("\n".join(libraries()) + "\n")
    target = ["--target", str(site), "--only-binary", ":all:", "--python-version", pins().python]
    files = ["--requirement", str(wanted), "--constraint", str(pinned)]
    command = [*_installer(_ARCHITECTURES[architecture]), *target, *files]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise ImageError(
            f"the libraries could not be installed: {Path(command[0]).name} ended with status "
            f"{made.returncode}",
            subject="the runner's image",
            seen="\n".join(made.stderr.splitlines()[-10:]),
            next_step="is the package index reachable? UV_INDEX_URL or PIP_INDEX_URL names another",
        )


def _installer(machine: str) -> list[str]:
    """uv where it is, as it reads markers for the Python that is installed for; else pip."""
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is not None:
        here = ["--python", sys.executable, "--link-mode", "copy"]
        return [uv, "pip", "install", *here, "--python-platform", f"{machine}-manylinux_2_28"]
    if importlib.util.find_spec("pip") is None:
        raise ImageError(
            "nothing is here that installs libraries",
            subject="the runner's image",
            seen=f"no uv on the PATH, no pip beside {sys.executable}",
            next_step="python -m ensurepip, or install uv",
        )
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC_MINORS]
    chosen = [f"--platform={each}" for each in (*platforms, f"manylinux2014_{machine}")]
    pip = [sys.executable, "-m", "pip", "install", "--no-compile", "--implementation", "cp"]
    return [*pip, *chosen]


def _direct() -> Sequence[str]:
    """What chaoskit's metadata asks for, with its markers."""
    return [each for each in _installed("chaoskit").requires or [] if _is_wanted(each)]


def _needed(library: Distribution) -> list[str]:
    names = [_NAME.match(each) for each in library.requires or [] if _is_wanted(each)]
    return [re.sub(r"[-_.]+", "-", match[0]).lower() for match in names if match is not None]


def _is_wanted(requirement: str) -> bool:
    return _NOT_WANTED.search(requirement.partition(";")[2]) is None


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise ImageError(
            "is not installed, so nobody says what it needs",
            subject=name,
            seen=f"{_PACKAGE} on the path alone",
            next_step="pip install chaoskit, or make setup in its tree",
        ) from error
