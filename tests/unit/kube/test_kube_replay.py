"""What a watch missed, read revision by revision: the same events that it would have told."""

import copy
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit import clock
from chaoskit.kube import collection, replay
from chaoskit.kube.answers import Page
from chaoskit.kube.collection import Known
from chaoskit.kube.kinds import Object

#: One write a revision: of an object of the collection (it stays or goes), or of another kind.
_WRITES = st.lists(
    st.one_of(st.none(), st.tuples(st.sampled_from("abcd"), st.booleans())), max_size=20
)


@dataclass
class Storage:
    """Every revision of one collection, and what a watch tells of each."""

    revisions: list[dict[str, Object]] = field(default_factory=lambda: [{}])
    told: list[tuple[str, str, int]] = field(default_factory=list)

    def write(self, uid: str | None, stays: bool) -> None:
        objects = dict(self.revisions[-1])
        revision = len(self.revisions)
        if uid is not None and stays:
            self.told.append(("MODIFIED" if uid in objects else "ADDED", uid, revision))
            objects[uid] = {"metadata": {"uid": uid, "name": uid, "resourceVersion": f"{revision}"}}
        elif uid in objects:
            self.told.append(("DELETED", uid, revision))
            del objects[uid]
        self.revisions.append(objects)

    def at(self, revision: int) -> list[Page]:
        """In pages of two."""
        items = copy.deepcopy(list(self.revisions[revision].values()))
        starts = range(0, max(len(items), 1), 2)
        return [Page(items[start : start + 2], revision, None) for start in starts]

    def known(self, revision: int) -> Known:
        return Known(collection.versions_of(self.revisions[revision].values()), revision)

    @property
    def last(self) -> Known:
        return self.known(len(self.revisions) - 1)


def written(writes: list[tuple[str, bool] | None]) -> Storage:
    storage = Storage()
    for write in writes:
        storage.write(*(write or (None, False)))
    return storage


@given(_WRITES, st.data())
def test_what_was_missed_is_what_a_watch_would_have_told(
    writes: list[tuple[str, bool] | None], data: st.DataObject
) -> None:
    storage = written(writes)
    since = data.draw(st.integers(0, len(writes)))
    missed = replay.missed(storage.at, "Pod", storage.known(since), storage.last)
    assert [(event.change, event.uid, event.resource_version) for event in missed] == [
        told for told in storage.told if told[2] > since
    ]
    known = storage.known(since)
    for event in missed:
        known.take(event)
    assert known.versions == storage.last.versions


def test_who_came_and_went_is_told_of_though_no_list_has_it() -> None:
    storage = written([("a", True), ("b", True), ("b", False), ("a", True)])
    missed = replay.missed(storage.at, "Pod", storage.known(1), storage.last)
    assert [(event.change, event.uid) for event in missed] == [
        ("ADDED", "b"), ("DELETED", "b"), ("MODIFIED", "a"),
    ]  # fmt: skip


def test_too_many_revisions_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = written([("a", True)] * 4)
    monkeypatch.setattr(replay, "REVISIONS_AT_MOST", 3)
    assert len(replay.missed(storage.at, "Pod", storage.known(1), storage.last)) == 3
    with pytest.raises(replay.OutOfReach, match="4 revisions, of which 3 are read"):
        replay.missed(storage.at, "Pod", storage.known(0), storage.last)


def test_reading_ends_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = written([("a", True)] * 9)
    times = iter(range(0, 100 * replay.WITHIN_NS, replay.WITHIN_NS // 2 - 1))
    monkeypatch.setattr(clock, "now_ns", lambda: next(times))
    with pytest.raises(replay.OutOfReach, match="revisions left after 6 s"):
        replay.missed(storage.at, "Pod", storage.known(0), storage.last)


def test_a_storage_that_counts_anew_is_not_believed() -> None:
    """One that was restored gives the numbers once more, to other writes."""
    storage = written([("a", True), ("b", True), ("c", True)])
    other = written([("b", True), ("a", True), ("c", True)])
    with pytest.raises(replay.OutOfReach, match="2 objects differ at revision 2"):
        replay.missed(other.at, "Pod", storage.known(2), storage.last)
    with pytest.raises(replay.OutOfReach, match="-1 revisions"):
        replay.missed(storage.at, "Pod", storage.known(3), storage.known(2))


def test_a_server_that_lists_what_is_there_instead_is_not_believed() -> None:
    """One that does not know the parameter: who came and went would be missing."""
    storage = written([("a", True), ("b", True), ("b", False), None])
    with pytest.raises(replay.OutOfReach, match="revision 4 for 1"):
        replay.missed(lambda _: storage.at(4), "Pod", storage.known(1), storage.last)
