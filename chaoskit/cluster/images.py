"""chaoskit's own images: what is there, what is missing, and removing them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import docker
from docker.errors import APIError

from chaoskit.cluster import runner_image
from chaoskit.cluster.engine import Engine
from chaoskit.cluster.engine_build import LABEL, Progress
from chaoskit.cluster.image_build import EXTRA_PROGRAMS, Builder
from chaoskit.errors import ImageError

#: Names that `ensure` and `chaoskit image build` take.
KINDS = ("node", "specimen", "registry")
#: Those, too, but not unless they are named: what few ask for.
EXTRAS = (*EXTRA_PROGRAMS, runner_image.KIND)
#: Importing and saving hundreds of megabytes on a busy disk; an engine that died says so at once.
_ENGINE_TIMEOUT_S = 600
#: A step that lasts says how far it is no oftener than this.
_LINE_EVERY_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """An image of ours in the engine; `current` says that today's sources made it."""

    reference: str
    kind: str
    size_bytes: int
    created: str
    current: bool


def connect(engine: Engine) -> docker.DockerClient:
    """A client for the functions of this module."""
    return docker.DockerClient(base_url=engine.endpoint, version="auto")


class Silent:
    """Progress for callers that show none."""

    def begin(self, step: str) -> None: ...

    def advance(self, done: int, total: int) -> None: ...

    def end(self, note: str) -> None: ...


class Lines:
    """Each step as lines: what it is, how far it is now and then, and how long it took."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._step = ""
        self._started = 0.0
        self._said = 0.0

    def begin(self, step: str) -> None:
        self._step, self._started = step, time.monotonic()
        self._said = self._started
        self._say(f"  {step} …")

    def advance(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < _LINE_EVERY_S:
            return
        self._said = now
        far = f"{done} of at most {total} packages" if total else f"{done} packages"
        self._say(f"    {self._step}: {far}, {now - self._started:.0f} s so far")

    def end(self, note: str) -> None:
        took = time.monotonic() - self._started
        self._say(f"    done in {took:.1f} s{': ' + note if note else ''}")


def ensure(
    client: docker.DockerClient, kinds: Sequence[str] = KINDS, progress: Progress | None = None
) -> dict[str, tuple[str, ...]]:
    """Build what is missing of `kinds`; the references of each. Raises `ImageError`."""
    builder = Builder(client, progress or Silent())
    built: dict[str, tuple[str, ...]] = {}
    with _patient(client):
        for kind in kinds:
            if kind == "node":
                built[kind] = (builder.ensure_node(),)
            elif kind == "specimen":
                built[kind] = builder.ensure_specimens()
            elif kind == "registry":
                built[kind] = (builder.ensure_registry(),)
            elif kind == runner_image.KIND:
                built[kind] = (builder.ensure_runner(),)
            elif kind in EXTRAS:
                built[kind] = (builder.ensure_extra(kind),)
            else:
                kinds_there = ", ".join((*KINDS, *EXTRAS))
                raise ImageError(
                    "no such kind of image", subject=kind, next_step=f"one of {kinds_there}"
                )
    return built


def rows(client: docker.DockerClient) -> list[Row]:
    """Our images in the engine, by name."""
    builder = Builder(client, Silent())
    found = []
    for image in client.images.list(filters={"label": LABEL}):
        kind = image.labels[LABEL]
        found += [
            Row(
                reference=tag,
                kind=kind,
                size_bytes=int(image.attrs["Size"]),
                created=str(image.attrs["Created"])[:19],
                current=builder.is_current(tag, kind, image.labels),
            )
            for tag in image.tags
        ]
    return sorted(found, key=lambda row: row.reference)


def remove(client: docker.DockerClient, references: Sequence[str]) -> None:
    """Remove images of ours; raises `ImageError` for one that is in use or not ours."""
    ours = {row.reference for row in rows(client)}
    for reference in references:
        if reference not in ours:
            raise ImageError(
                "not an image of chaoskit's", subject=reference, next_step="chaoskit image ls"
            )
        try:
            client.images.remove(reference)
        except APIError as error:
            raise ImageError(
                "the engine keeps it",
                subject=reference,
                seen=error.explanation,
                next_step="chaoskit cluster ls shows what still uses it",
            ) from error


@contextmanager
def _patient(client: docker.DockerClient) -> Iterator[None]:
    before = client.api.timeout
    client.api.timeout = _ENGINE_TIMEOUT_S
    try:
        yield
    finally:
        client.api.timeout = before
