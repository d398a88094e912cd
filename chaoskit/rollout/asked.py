"""What `chaoskit rollout` was asked for, checked where it comes in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaoskit.errors import UsageError
from chaoskit.options import Options
from chaoskit.rollout.facts import ROLLED
from chaoskit.workloads.ref import ObjectRef

#: As kubectl writes kinds: "deployment/web", "deploy/web", "statefulset.apps/kv".
_KINDS = {
    **dict.fromkeys(("deployment", "deployments", "deploy"), "Deployment"),
    **dict.fromkeys(("statefulset", "statefulsets", "sts"), "StatefulSet"),
    **dict.fromkeys(("daemonset", "daemonsets", "ds"), "DaemonSet"),
}
_IMAGE = re.compile(r"(?:(?P<container>[a-z0-9*][a-z0-9-]*)=)?(?P<image>[^\s=]+)")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is rolled out: images by container ("" the only one), a manifest, or the same anew."""

    images: Mapping[str, str]
    to: Sequence[str] = ()
    restart: bool = False

    @property
    def step(self) -> str:
        """How the record names the step."""
        if self.restart:
            return "restart"
        if self.to:
            return "apply"
        return "set_image" if len(self.images) == 1 else "edit"

    def __str__(self) -> str:
        if self.restart:
            return "restart"
        if self.to:
            return f"apply {', '.join(self.to)}"
        named = [f"{name}={image}" if name else image for name, image in self.images.items()]
        return f"set image {', '.join(named)}"


@dataclass(frozen=True, kw_only=True)
class LoadAsked:
    """The load: `rate_per_s` requests for `path`, or the users of a locustfile."""

    path: str
    rate_per_s: float
    locustfile: Path | None
    users: int
    service: str | None
    port: str | None

    @property
    def by_users(self) -> bool:
        """Whether a locustfile's users are the load."""
        return self.locustfile is not None

    def __str__(self) -> str:
        if self.locustfile is None:
            return f"Requests for {self.path}"
        return f"{self.users} users of {self.locustfile.name}, in closed loop,"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What the owner asks for besides what the manifests promise."""

    at_least: float | None
    zero_failures: bool
    versions: tuple[str, ...]
    within_s: float | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Everything that one rollout was asked for."""

    ref: ObjectRef
    change: Change
    load: LoadAsked
    claims: Claims
    options: Options
    command: str
    manifests: Sequence[str] = ()
    archives: Sequence[Path] = ()
    baseline_s: float = 10.0
    undo: bool = False

    @property
    def namespace(self) -> str:
        """The namespace of the workload."""
        assert self.ref.namespace is not None  # made by `workload_ref`
        return self.ref.namespace


def workload_ref(text: str, namespace: str) -> ObjectRef:
    """The workload that kubectl would take this for. Raises `UsageError`."""
    kind, slash, name = text.partition("/")
    known = _KINDS.get(kind.lower().removesuffix(".apps"))
    if not (slash and name and known):
        raise UsageError(
            "is no workload that is rolled out",
            subject="WORKLOAD",
            seen=text,
            next_step=f"KIND/NAME, where KIND is {', '.join(kind.lower() for kind in ROLLED)}",
        )
    return ObjectRef(known, namespace, name)


def change_of(images: Sequence[str], to: Sequence[str], *, restart: bool) -> Change:
    """The one change that was asked for. Raises `UsageError`."""
    if bool(images) + bool(to) + restart != 1:
        raise UsageError(
            "one change is rolled out",
            subject="--image, --to, --restart",
            seen="none of them" if not (images or to or restart) else "more than one of them",
            next_step="--image web=web:v2, or --to the manifests afterwards, or --restart",
        )
    found: dict[str, str] = {}
    for text in images:
        match = _IMAGE.fullmatch(text)
        if match is None:
            raise UsageError(
                "is no image of a container",
                subject="--image",
                seen=text,
                next_step="CONTAINER=IMAGE, or IMAGE where there is one container",
            )
        found[match["container"] or ""] = match["image"]
    if "" in found and len(found) > 1:
        raise UsageError(
            "leaves out which container it is for",
            subject="--image",
            seen=", ".join(images),
            next_step="CONTAINER=IMAGE for each",
        )
    return Change(images=found, to=tuple(to), restart=restart)
