"""What is known of one watched collection, as a value: enough to tell what a gap hid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from chaoskit.history.events import Watched
from chaoskit.kube.kinds import Object

#: uid → resourceVersion of every object that exists.
Versions = dict[str, int]


@dataclass
class Known:
    """What is known of a collection: all of it, up to `resource_version`.

    `seen_ns` is the last moment at which nothing was missing.
    """

    versions: Versions = field(default_factory=dict)
    resource_version: int = 0
    seen_ns: int = 0

    def take(self, event: Watched) -> None:
        """Bring it up to date with one event of the watch."""
        if event.change == "DELETED":
            self.versions.pop(event.uid, None)
        else:
            self.versions[event.uid] = event.resource_version
        self.resource_version = event.resource_version
        self.seen_ns = event.time_ns


Change = Literal["LISTED", "ADDED", "MODIFIED", "DELETED"]

#: In `WatchGap.uids`: any object may have changed; the watcher never saw the collection again.
ANY_OBJECT = "*"


def changed(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """The uids that changed, came or went between two lists, sorted.

    An object whose uid and resourceVersion are equal in both had no event in between, as every
    write gives it a new resourceVersion. One that came *and* went between them is in neither list:
    its events are lost without a trace, and so no claim about "every object" holds across a gap.
    """
    either = before.keys() | after.keys()
    return sorted(uid for uid in either if before.get(uid) != after.get(uid))


def untold(known: Known, there: Known) -> list[str]:
    """The uids of which a watch, known to have come so far, has yet to tell what a list has.

    A watch tells in the order of resourceVersions: one that has come to the list's has told all.
    """
    if known.resource_version >= there.resource_version:
        return []
    told = dict(known.versions)  # the watch goes on meanwhile
    newer = [uid for uid, version in there.versions.items() if told.get(uid, 0) < version]
    gone = [
        uid
        for uid, version in told.items()
        if uid not in there.versions and version <= there.resource_version
    ]
    return sorted(newer + gone)


def versions_of(items: Iterable[Object]) -> Versions:
    """The resourceVersions of these objects, by uid."""
    return {item["metadata"]["uid"]: version_of(item) for item in items}


def version_of(item: Object) -> int:
    """An object's resourceVersion (a revision of etcd: a number, comparable between kinds)."""
    return int(item["metadata"]["resourceVersion"])


def watched(kind: str, change: Change, item: Object, time_ns: int) -> Watched:
    """The event for one object as it came from the server; `item` loses its managedFields."""
    metadata = cast(dict[str, Any], item["metadata"])
    metadata.pop("managedFields", None)
    return Watched(
        time_ns=time_ns,
        kind=kind,
        change=change,
        uid=metadata["uid"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        resource_version=int(metadata["resourceVersion"]),
        object=item,
    )
