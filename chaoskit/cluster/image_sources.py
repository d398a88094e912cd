"""What images are built from: package data, and a hash that changes when any of it does."""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chaoskit
from chaoskit.errors import ImageError

FOLDER = Path(chaoskit.__file__).parent / "images"
_HASH_LENGTH = 12


@dataclass(frozen=True, kw_only=True)
class Versions:
    """The pinned versions; Go modules are pinned in `go/go.mod`, the rest in `versions.toml`."""

    go: str
    kubernetes: str
    debian_suite: str
    debian_packages: tuple[str, ...]
    local_path_module: str
    local_path_version: str


def versions() -> Versions:
    """Read the pins; raises `ImageError` when the package data is incomplete."""
    try:
        pins: dict[str, Any] = tomllib.loads((FOLDER / "versions.toml").read_text())
        module = (FOLDER / "go" / "go.mod").read_text()
    except OSError as error:
        raise ImageError(
            "the sources of the images are not there",
            subject=str(FOLDER),
            seen=error,
            next_step="install chaoskit again: they are part of the package",
        ) from error
    return Versions(
        go=_pin(module, "go "),
        kubernetes=_pin(module, "k8s.io/kubernetes v"),
        debian_suite=pins["debian"]["suite"],
        debian_packages=tuple(pins["debian"]["packages"]),
        local_path_module=pins["local-path-provisioner"]["module"],
        local_path_version=pins["local-path-provisioner"]["version"],
    )


def _pin(module: str, prefix: str) -> str:
    for line in module.splitlines():
        if (text := line.strip().removeprefix("require ")).startswith(prefix):
            return text.removeprefix(prefix).split()[0]
    raise ImageError(f"go.mod pins no {prefix.strip()}", subject=str(FOLDER / "go" / "go.mod"))


def digest(names: Iterable[str], *further: str) -> str:
    """A short hash over the named files and folders of the package data, and further texts."""
    total = hashlib.sha256()
    for name in names:
        root = FOLDER / name
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for file in files:
            if file.is_file() and not file.name.endswith("_test.go"):
                total.update(str(file.relative_to(FOLDER)).encode() + b"\0" + file.read_bytes())
    for text in further:
        total.update(text.encode() + b"\0")
    return total.hexdigest()[:_HASH_LENGTH]
