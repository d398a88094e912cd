"""Manifests as kubectl takes them: files, folders, and `-` for standard input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaoskit.errors import UsageError
from chaoskit.kube import kinds
from chaoskit.rollout.shapes import require_shape
from chaoskit.workloads import manifest
from chaoskit.workloads.manifest import Manifest

STANDARD_INPUT = "-"

#: What kubectl reads of a folder.
_SUFFIXES = (".json", ".yaml", ".yml")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HOOK = "helm.sh/hook"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What was read: all objects in one namespace, and what of it was left out, in words."""

    manifests: tuple[Manifest, ...]
    left_out: tuple[str, ...] = ()


def read(
    names: Sequence[str], namespace: str, standard_input: Callable[[], str], *, strict: bool = True
) -> Sources:
    """All objects of these files and folders. Helm's hooks are left out, and that is said.

    An object without a namespace gets `namespace`; one that names another is refused, as kubectl
    does with -n, unless not `strict`. Raises `UsageError`.
    """
    found: list[Manifest] = []
    for name in names:
        found += _of(name, standard_input)
    for each in found:
        require_shape(each)
    hooks = [each for each in found if _HOOK in _annotations(each)]
    kept = [each for each in found if each not in hooks]
    return Sources(
        manifests=tuple(_placed(each, namespace, strict=strict) for each in kept),
        left_out=tuple(
            f"{each.place}: a Helm hook ({_annotations(each)[_HOOK]})" for each in hooks
        ),
    )


def _of(name: str, standard_input: Callable[[], str]) -> list[Manifest]:
    if name == STANDARD_INPUT:
        return manifest.parse(standard_input(), Path("standard input"))
    path = Path(name)
    if not path.is_dir():
        return manifest.load(path)
    if any((path / each).exists() for each in _KUSTOMIZATIONS):
        raise UsageError(
            "is a kustomization, not a folder of manifests",
            subject=name,
            next_step=f"kubectl kustomize {name} | chaoskit … --manifest -",
        )
    files = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
    if not files:
        raise UsageError(
            "holds no manifests",
            subject=name,
            seen=", ".join(sorted(each.name for each in path.iterdir())) or "nothing",
            next_step=f"files that end in {', '.join(_SUFFIXES)}; folders in it are not read",
        )
    return [each for file in files for each in manifest.load(file)]


def _placed(each: Manifest, namespace: str, *, strict: bool) -> Manifest:
    kind = kinds.served_as(each.content)
    if kind is not None and not kind.namespaced:
        return each
    own = each.content["metadata"].get("namespace")
    if own in (None, ""):
        return each.in_namespace(namespace)
    if strict and own != namespace:
        raise UsageError(
            "stands in another namespace than the one given",
            subject=each.place,
            seen=f"metadata.namespace {own}, -n {namespace}",
            next_step=f"-n {own}, or leave metadata.namespace out",
        )
    return each


def _annotations(each: Manifest) -> dict[str, str]:
    return each.content["metadata"].get("annotations") or {}
