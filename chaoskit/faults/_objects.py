"""Objects of the Kubernetes API that faults change: reading back, changing, mending patiently."""

import hashlib
from collections.abc import Callable

from chaoskit.errors import FaultError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import AlreadyExists, Conflict, NotFound, Transient
from chaoskit.waiting import wait_until

#: On every object that a fault makes.
OURS = {"app.kubernetes.io/managed-by": "chaoskit"}
#: In front of all annotations, labels, finalizers and taints of faults.
DOMAIN = "faults.chaoskit.dev"
#: How long an API that is away, or somebody else's changes, may hold up a heal.
MENDED_WITHIN_S = 30.0
_CHANGED_WITHIN_S = 5.0
_INTERVAL_S = 0.2


def digest(*identity: str) -> str:
    """A few characters that stand for what a fault hits."""
    return hashlib.sha256("\0".join(identity).encode()).hexdigest()[:12]


def mark_of(fault: str, *identity: str) -> str:
    """The annotation that says that this fault is on an object; `identity` tells several apart."""
    return f"{DOMAIN}/{fault}" + (f"-{digest(*identity)}" if identity else "")


def annotation(item: Object, key: str) -> str | None:
    """An annotation's value."""
    value = (item["metadata"].get("annotations") or {}).get(key)
    return None if value is None else str(value)


def listed(kube: Kube, kind: str, name: str, namespace: str | None = None) -> Object | None:
    """The object as a list has it, or None: a path that no change of it goes."""
    found = kube.list(kind, namespace, fields=f"metadata.name={name}")
    return found[0] if found else None


def is_ending(item: Object | None) -> bool:
    """Whether an object is gone, or has been asked to go."""
    return item is None or "deletionTimestamp" in item["metadata"]


def namespace_ends(kube: Kube, namespace: str) -> bool:
    """Whether a namespace is gone or going: then nothing in it is left to mend."""
    return is_ending(kube.find("Namespace", namespace))


def edit(
    kube: Kube,
    kind: str,
    name: str,
    namespace: str | None,
    change: Callable[[Object], Object | None],
) -> Object | None:
    """Write the merge patch that `change` makes of the object as it is now; None: nothing to do.

    Returns the object as it became. Raises `Conflict` when somebody else changed it in between,
    so that nobody's change is lost.
    """
    now = kube.get(kind, name, namespace)
    patch = change(now)
    if patch is None:
        return None
    version = {"resourceVersion": now["metadata"]["resourceVersion"]}
    patch = {**patch, "metadata": {**patch.get("metadata", {}), **version}}
    return kube.patch(kind, name, namespace, patch)


def break_object(
    kube: Kube,
    kind: str,
    name: str,
    namespace: str | None,
    change: Callable[[Object], Object | None],
) -> None:
    """`edit`, tried again while others change the object too; every other refusal passes through.

    Raises `WaitTimeout` when they do so for 5 s.
    """
    despite_others(lambda: edit(kube, kind, name, namespace, change), f"{kind} {name}")


def despite_others(act: Callable[[], object], subject: str) -> None:
    """Call `act` until nobody changes `subject` between its reading and its writing.

    Raises `WaitTimeout` after 5 s, and every refusal but `Conflict` at once.
    """
    last: Conflict | None = None

    def done() -> bool:
        nonlocal last
        try:
            act()
        except Conflict as error:
            last = error
            return False
        return True

    wait_until(
        done,
        what=f"a moment in which nobody else changes {subject}",
        timeout_s=_CHANGED_WITHIN_S,
        interval_s=0.05,
        seen=lambda: last,
        next_step="see in its managedFields who changes it all the time",
    )


def mend(
    step: Callable[[], str],
    *,
    what: str,
    timeout_s: float = MENDED_WITHIN_S,
    next_step: str | None = None,
) -> None:
    """Repeat `step`, which mends what it can and says what is missing, until that is nothing ("").

    An API that is away, and an object that somebody changed, made or took away in between, mean
    "not yet": the next look sees what is there now. Other refusals pass through.
    Raises `WaitTimeout` with what is missing.
    """
    last: object = "never tried"

    def done() -> bool:
        nonlocal last
        try:
            last = step()
        except (Transient, Conflict, AlreadyExists, NotFound) as error:
            last = error
            return False
        return not last

    wait_until(
        done,
        what=what,
        timeout_s=timeout_s,
        interval_s=_INTERVAL_S,
        seen=lambda: last,
        next_step=next_step,
    )


def refuse(subject: str, problem: str, *, seen: object = None, next_step: str) -> FaultError:
    """The error for an object on which the fault would show nothing, or could not be healed."""
    return FaultError(
        f"{problem}; nothing was changed", subject=subject, seen=seen, next_step=next_step
    )
