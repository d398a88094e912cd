"""What a watch can no longer be told, read from the storage instead: each revision by itself.

An API server that is started anew begins its watch cache anew, and answers 410 to whoever knows
less, though the storage still holds every revision since its last compaction (five minutes by
default, kube-apiserver's --etcd-compaction-interval). A list with resourceVersionMatch=Exact is
the collection as it was at one revision, and every write is a revision of its own: all lists from
the one that is known to the one that is there have every event in between, in its order.
"""

import copy
from collections.abc import Callable, Iterable

from chaoskit import clock
from chaoskit.errors import ChaoskitError
from chaoskit.history.events import Watched
from chaoskit.kube import collection
from chaoskit.kube.answers import Page
from chaoskit.kube.collection import Known
from chaoskit.kube.kinds import Object

#: Revisions are those of all kinds: a cluster of three nodes makes 5 to 25 a second, and a quiet
#: collection is told of them by a bookmark each `watching.STREAM_TIMEOUT_S`.
REVISIONS_AT_MOST = 2000
#: A list of ten pods takes 3 to 7 ms. What is read here loads the API server that is observed.
WITHIN_NS = 6_000_000_000


class OutOfReach(ChaoskitError):
    """What was missed cannot be read: too many revisions, too slow, or not the same storage."""


def missed(
    pages: Callable[[int], Iterable[Page]], kind: str, before: Known, there: Known
) -> list[Watched]:
    """Every event between what was known and what is there, in the order of revisions.

    `pages` lists the collection at a revision. The events' times are those of reading, not of
    happening: like all events they are there when they were heard of. Raises `OutOfReach`, and
    what `pages` raises.
    """
    _require_few(kind, before, there)
    began_ns = clock.now_ns()
    then = _objects(pages, kind, before.resource_version)
    _require_same(kind, then, before)
    events: list[Watched] = []
    for revision in range(before.resource_version + 1, there.resource_version + 1):
        _require_in_time(kind, began_ns, revision, there)
        now = _objects(pages, kind, revision)
        events += _changes(kind, then, now, revision)
        then = now
    _require_same(kind, then, there)
    return events


def _objects(pages: Callable[[int], Iterable[Page]], kind: str, revision: int) -> dict[str, Object]:
    objects: dict[str, Object] = {}
    for page in pages(revision):
        if page.resource_version != revision:  # a server that does not know "Exact" ignores it
            seen = f"revision {page.resource_version} for {revision}"
            raise _out_of_reach(kind, seen)
        objects |= {item["metadata"]["uid"]: item for item in page.items}
    return objects


def _changes(
    kind: str, then: dict[str, Object], now: dict[str, Object], revision: int
) -> list[Watched]:
    """What a watch would have told of this revision; who went has its number, as there."""
    time_ns = clock.now_ns()
    events = []
    for uid, item in then.items():
        if uid not in now:
            last = copy.deepcopy(item)
            last["metadata"]["resourceVersion"] = str(revision)
            events.append(collection.watched(kind, "DELETED", last, time_ns))
    for uid, item in now.items():
        if uid not in then:
            events.append(collection.watched(kind, "ADDED", item, time_ns))
        elif collection.version_of(item) != collection.version_of(then[uid]):
            events.append(collection.watched(kind, "MODIFIED", item, time_ns))
    return events


def _require_few(kind: str, before: Known, there: Known) -> None:
    revisions = there.resource_version - before.resource_version
    if not 0 <= revisions <= REVISIONS_AT_MOST:
        raise _out_of_reach(kind, f"{revisions} revisions, of which {REVISIONS_AT_MOST} are read")


def _require_same(kind: str, items: dict[str, Object], known: Known) -> None:
    """Revisions are numbers: a storage that was restored counts the same ones again."""
    if differing := collection.changed(collection.versions_of(items.values()), known.versions):
        said = f"{len(differing)} objects differ at revision {known.resource_version}"
        raise _out_of_reach(kind, said)


def _require_in_time(kind: str, began_ns: int, revision: int, there: Known) -> None:
    if clock.now_ns() - began_ns > WITHIN_NS:
        left = there.resource_version - revision
        raise _out_of_reach(kind, f"{left} revisions left after {WITHIN_NS / 1e9:g} s")


def _out_of_reach(kind: str, seen: str) -> OutOfReach:
    return OutOfReach(
        "what the watch missed cannot be read from the storage",
        subject=kind,
        seen=seen,
        next_step="judge what does not need it",
    )
