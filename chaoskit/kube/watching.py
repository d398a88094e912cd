"""Watching one collection: list, then watch from there, for as long as it takes.

A stream that ends or breaks is resumed from the last resourceVersion, which loses nothing as long
as the server still holds it. If it does not (410), what was missed is read from the storage
(`replay`); only if that cannot be, the collection is listed again, and what may have been missed
is named in a WatchGap. In the record the LISTED events of such a list stand before their WatchGap:
an object named in the gap that was not LISTED with it has gone.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from chaoskit import clock
from chaoskit.history.events import AnyEvent, Note, Watched, WatchGap, WatchStarted
from chaoskit.kube import collection, refusal, replay
from chaoskit.kube.answers import Page
from chaoskit.kube.client import Kube
from chaoskit.kube.collection import Known
from chaoskit.kube.refusal import Call

#: How long the server lets one watch live. Short enough that a stream which fell silent without
#: an end (no reset, keepalives answered by a proxy on the way) is noticed within a run; and as a
#: bookmark comes two seconds before the end (otherwise once a minute), no more revisions than
#: those of so long are ever to be read from the storage.
STREAM_TIMEOUT_S = 20

#: Between attempts while the API server is away; its return is seen this much late at most.
_RETRY_S = 0.25

#: An interruption shorter than this is not worth a note: events kept their order and were late
#: by no more.
_NOTEWORTHY_NS = 1_000_000_000

#: A resourceVersion that is too old is answered with 200 and then an ERROR event, within
#: milliseconds; a stream that stood this long without one is good.
_SETTLED_NS = 1_000_000_000

#: At the end of watching: for so long a server that refuses is asked again for a last list, and
#: for so long what the list has may still be on its way through the watch.
_ASKED_FOR_NS = 3_000_000_000
_ON_ITS_WAY_NS = 3_000_000_000


class Sink(Protocol):
    """Where a watch puts what it sees; called from many threads."""

    def append(self, event: AnyEvent) -> None: ...

    def first_listed(self, kind: str, resource_version: int) -> None:
        """The collection was listed for the first time."""
        ...


class _Line(msgspec.Struct):
    type: str
    object: dict[str, Any]


class CollectionWatch:
    """One kind in one namespace (None: in all, or cluster-wide). `run` ends only by `stop`."""

    def __init__(
        self,
        kube: Kube,
        kind: str,
        namespace: str | None,
        sink: Sink,
        known: Known | None = None,
    ) -> None:
        """`known` None: it begins with a list; else it goes on from what another watch knew."""
        self.kind = kind
        self.namespace = namespace
        self._kube = kube
        self._sink = sink
        self._decoder = msgspec.json.Decoder(_Line)
        self._stop = threading.Event()
        self._known = known
        self._interrupted: str | None = None
        self._opened_ns: int | None = None

    def run(self) -> None:
        """List and follow. Raises `Refused` when the first list is refused for good."""
        known = self._known or self._list_first()
        while known is not None and not self._stop.is_set():
            self._known = known
            try:
                self._follow(known)
            except refusal.Gone as error:
                known = self._catch_up(known, str(error))
            except refusal.Refused as error:
                self._interrupted = str(error)
                self._stop.wait(_RETRY_S)

    def stop(self) -> None:
        """End soon; a blocked read may take until its next line."""
        self._stop.set()

    def finish(self) -> WatchGap | None:
        """At the end of watching: the gap still open, if the stream was away just then."""
        if self._interrupted is None or self._is_resumed() or self._known is None:
            return None
        reason = f"watching ended while {self._where} could not be watched: {self._interrupted}"
        return self._gap(self._known.seen_ns, [collection.ANY_OBJECT], reason)

    def missed(self, kube: Kube) -> WatchGap | None:
        """At the end of watching: what a last list by `kube` has and the watch never told.

        A stream can fall silent and not end, so that silence alone proves nothing. What came and
        went during it is in no list, and not found.
        """
        if self._known is None:
            return None
        since_ns = self._known.seen_ns
        try:
            there = self._listed_last(kube)
        except refusal.Refused as error:
            reason = f"{self._where} could not be listed at the end of watching: {error}"
            return self._gap(since_ns, [collection.ANY_OBJECT], reason)
        began_ns = clock.now_ns()
        while uids := collection.untold(self._known, there):
            if clock.now_ns() - began_ns > _ON_ITS_WAY_NS:
                reason = f"the watch of {self._where} was silent about changes that its list has"
                return self._gap(since_ns, uids, reason)
            self._stop.wait(_RETRY_S)
        return None

    def _gap(self, since_ns: int, uids: list[str], reason: str) -> WatchGap:
        return WatchGap(
            time_ns=clock.now_ns(), kind=self.kind, since_ns=since_ns, uids=uids, reason=reason
        )

    def _listed_last(self, kube: Kube) -> Known:
        began_ns = clock.now_ns()
        while True:
            try:
                return self._versions(kube)
            except refusal.Refused:
                if clock.now_ns() - began_ns > _ASKED_FOR_NS:
                    raise
                self._stop.wait(_RETRY_S)

    @property
    def _where(self) -> str:
        return f"{self.kind} in {self.namespace}" if self.namespace else self.kind

    def _list_first(self) -> Known | None:
        """The collection, once the server gives it out; None when stopped before."""
        while not self._stop.is_set():
            try:
                known = self._list(Known())
            except refusal.Transient:
                self._stop.wait(_RETRY_S)
            else:
                self._sink.first_listed(self.kind, known.resource_version)
                return known
        return None

    def _catch_up(self, before: Known, reason: str) -> Known | None:
        """All that is there now; what came since `before` is told late, or named in a gap."""
        self._interrupted = reason
        while not self._stop.is_set():
            try:
                there = self._versions(self._kube)
                missed = replay.missed(self._pages_at, self.kind, before, there)
            except refusal.Transient as error:
                self._interrupted = f"{reason}; then {error}"
                self._stop.wait(_RETRY_S)
            except (replay.OutOfReach, refusal.Refused) as error:
                return self._list_again(before, f"{reason}; then {error}")
            else:
                self._tell_late(missed, before, there, reason)
                return there
        return None

    def _tell_late(self, missed: list[Watched], before: Known, there: Known, reason: str) -> None:
        for event in missed:
            self._sink.append(event)
        self._interrupted = f"{len(missed)} changes were read from the storage, as {reason}"
        self._note_resumed(replace(there, seen_ns=before.seen_ns))

    def _list_again(self, before: Known, reason: str) -> Known | None:
        """The collection anew, and in the record what may have been missed since `before`."""
        self._interrupted = reason
        while not self._stop.is_set():
            try:
                known = self._list(before)
            except refusal.Refused as error:
                self._interrupted = f"{reason}; then {error}"
                self._stop.wait(_RETRY_S)
                continue
            gap = WatchGap(
                time_ns=known.seen_ns,
                kind=self.kind,
                since_ns=before.seen_ns,
                uids=collection.changed(before.versions, known.versions),
                reason=f"{self._where} listed again: {reason}",
            )
            started = WatchStarted(
                time_ns=known.seen_ns, kind=self.kind, resource_version=known.resource_version
            )
            self._sink.append(gap)
            self._sink.append(started)
            self._interrupted = None  # not before: at the end of watching an open gap is written
            return known
        return None

    def _list(self, before: Known) -> Known:
        """List page by page; objects whose version is known already are not written again."""
        known = Known()
        for page in self._pages(self._kube):
            now_ns = clock.now_ns()
            for item in page.items:
                event = collection.watched(self.kind, "LISTED", item, now_ns)
                known.versions[event.uid] = event.resource_version
                if before.versions.get(event.uid) != event.resource_version:
                    self._sink.append(event)
            known.resource_version = page.resource_version
        known.seen_ns = clock.now_ns()
        return known

    def _versions(self, kube: Kube) -> Known:
        """The collection as it is, of which nothing is written."""
        known = Known(seen_ns=clock.now_ns())
        for page in self._pages(kube):
            known.versions |= collection.versions_of(page.items)
            known.resource_version = page.resource_version
        return known

    def _pages_at(self, revision: int) -> Iterator[Page]:
        return self._pages(self._kube, revision)

    def _pages(self, kube: Kube, revision: int | None = None) -> Iterator[Page]:
        page = kube.list_page(self.kind, self.namespace, revision=revision)
        yield page
        while page.rest is not None:
            page = kube.list_page(self.kind, self.namespace, rest=page.rest)
            yield page

    def _follow(self, known: Known) -> None:
        """Read one stream to its end."""
        stream = self._kube.watch_lines(
            self.kind, self.namespace, known.resource_version, timeout_s=STREAM_TIMEOUT_S
        )
        with stream as lines:
            self._opened_ns = clock.now_ns()
            try:
                for line in lines:
                    if self._stop.is_set():
                        return
                    self._take(known, line, clock.now_ns())
            finally:
                self._opened_ns = None
        self._note_resumed(known)
        known.seen_ns = clock.now_ns()

    def _is_resumed(self) -> bool:
        """Whether a stream stands again that the server did not refuse (as it does at once)."""
        opened_ns = self._opened_ns
        return opened_ns is not None and clock.now_ns() - opened_ns >= _SETTLED_NS

    def _take(self, known: Known, line: bytes, now_ns: int) -> None:
        said = self._decoder.decode(line)
        if said.type == "ERROR":
            call = Call("watch", self.kind, self.namespace)
            status = int(said.object.get("code", 0))
            raise refusal.from_answer(call, status, "ERROR event", _body(said.object))
        self._note_resumed(known)
        if said.type == "BOOKMARK":
            known.resource_version = collection.version_of(said.object)
            known.seen_ns = now_ns
        else:
            event = collection.watched(self.kind, _CHANGES[said.type], said.object, now_ns)
            self._sink.append(event)
            known.take(event)

    def _note_resumed(self, known: Known) -> None:
        if self._interrupted is None:
            return
        late_ns = clock.now_ns() - known.seen_ns
        if late_ns >= _NOTEWORTHY_NS:
            text = (
                f"{self._where}: not watched for up to {late_ns / 1e9:.1f} s, resumed at "
                f"resourceVersion {known.resource_version}; no event is missing, but some "
                f"arrived late by as much. {self._interrupted}"
            )
            note = Note(time_ns=clock.now_ns(), source="observer", level="warning", text=text)
            self._sink.append(note)
        self._interrupted = None


_CHANGES: dict[str, collection.Change] = {
    "ADDED": "ADDED",
    "MODIFIED": "MODIFIED",
    "DELETED": "DELETED",
}


def _body(status: dict[str, Any]) -> bytes:
    return msgspec.json.encode(status)
