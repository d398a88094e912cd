"""The engine's refusals in words that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException

from chaoskit.errors import ChaoskitError, ClusterError, EngineError, ImageError


class PortTaken(EngineError):
    """A port to publish belongs to somebody else."""


class RightsRefused(EngineError):
    """The engine cannot give a container the rights that were asked for."""


class Overlap(EngineError):
    """An address range is in use already."""


class NameTaken(ClusterError):
    """Something of that name exists."""


class Gone(ClusterError):
    """A container, volume or network that is no longer there."""


class BeingRemoved(ClusterError):
    """A container that somebody else is removing just now."""


class NotRunning(ClusterError):
    """A node's container that is there and does not run."""


_SAYINGS: tuple[tuple[tuple[str, ...], type[ChaoskitError], str, str], ...] = (
    (
        ("no space left on device",),
        EngineError,
        "the engine's disk is full",
        "docker system df; docker system prune; chaoskit cluster sweep",
    ),
    (
        ("port is already allocated", "address already in use"),
        PortTaken,
        "the port is taken",
        "free it, or let chaoskit choose one",
    ),
    (
        ("unable to apply caps", "unable to set capabilit", "invalid cap"),
        RightsRefused,
        "the engine refuses the rights a node needs",
        "chaoskit doctor",
    ),
    (
        ("overlaps with other", "pool overlaps", "conflicts with network"),
        Overlap,
        "the address range is in use",
        "chaoskit cluster sweep; docker network ls",
    ),
    (
        ("is already in use by container", "network with name"),
        NameTaken,
        "something of that name exists",
        "chaoskit cluster ls; chaoskit cluster down NAME, or another name",
    ),
    (
        ("is already in progress",),
        BeingRemoved,
        "somebody else is removing it",
        "chaoskit cluster sweep",
    ),
    (
        ("is paused",),
        ClusterError,
        "the node is paused",
        "chaoskit heal, or docker unpause",
    ),
    (
        ("is not running", "is restarting"),
        NotRunning,
        "the node does not run",
        "docker start, or chaoskit cluster down and up",
    ),
    (
        ('exec: "/bin/sh"', "no such file or directory: unknown", "exec format error"),
        ImageError,
        "not a node image: it cannot run /bin/sh",
        "chaoskit image ls",
    ),
)


@contextmanager
def engine_errors(subject: str) -> Iterator[None]:
    """Turn what docker's client raises into chaoskit's errors about `subject`."""
    try:
        yield
    except ImageNotFound as error:
        raise ImageError(
            "no such image", subject=subject, seen=error.explanation, next_step="chaoskit image ls"
        ) from error
    except APIError as error:
        raise explained(error, subject) from error
    except (RequestException, DockerException, ConnectionError, TimeoutError) as error:
        raise EngineError(
            "the container engine stopped answering",
            subject=subject,
            seen=f"{type(error).__name__}: {error}",
            next_step="chaoskit doctor; what the engine still holds: chaoskit cluster sweep",
        ) from error


def explained(error: APIError, subject: str) -> ChaoskitError:
    """The chaoskit error for one refusal of the engine."""
    said = str(error.explanation or error)
    for signs, kind, problem, next_step in _SAYINGS:
        if any(sign in said.lower() for sign in (sign.lower() for sign in signs)):
            return kind(problem, subject=subject, seen=said.strip(), next_step=next_step)
    if error.status_code == 404:
        return Gone(
            "no longer there", subject=subject, seen=said.strip(), next_step="chaoskit cluster ls"
        )
    return EngineError(
        "the container engine refused",
        subject=subject,
        seen=said.strip(),
        next_step="chaoskit doctor",
    )
