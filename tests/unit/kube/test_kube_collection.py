"""What a re-list tells about a gap."""

from hypothesis import given
from hypothesis import strategies as st

from chaoskit.kube import collection
from chaoskit.kube.kinds import Object

VERSIONS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5))


def pod(uid: str, version: int) -> Object:
    return {
        "metadata": {
            "uid": uid,
            "name": f"pod-{uid}",
            "namespace": "shop",
            "resourceVersion": str(version),
            "managedFields": [{"manager": "kubelet"}],
        }
    }


def test_changed_names_what_changed_came_and_went() -> None:
    before = {"same": 1, "changed": 2, "went": 3}
    after = {"same": 1, "changed": 4, "came": 5}
    assert collection.changed(before, after) == ["came", "changed", "went"]


def test_an_equal_list_names_nobody() -> None:
    assert collection.changed({"a": 1}, {"a": 1}) == []


@given(VERSIONS, VERSIONS)
def test_exactly_the_unnamed_are_equal_in_both_lists(
    before: dict[str, int], after: dict[str, int]
) -> None:
    named = set(collection.changed(before, after))
    for uid in before.keys() | after.keys():
        assert (uid in named) == (before.get(uid) != after.get(uid))


def test_an_event_carries_the_object_without_its_managed_fields() -> None:
    event = collection.watched("Pod", "ADDED", pod("u1", 7), 123)
    assert (event.uid, event.namespace, event.name) == ("u1", "shop", "pod-u1")
    assert (event.resource_version, event.time_ns) == (7, 123)
    assert "managedFields" not in event.object["metadata"]


def test_what_is_known_follows_the_events() -> None:
    known = collection.Known()
    known.take(collection.watched("Pod", "ADDED", pod("u1", 7), 1))
    known.take(collection.watched("Pod", "MODIFIED", pod("u1", 8), 2))
    assert known == collection.Known({"u1": 8}, 8, 2)
    known.take(collection.watched("Pod", "DELETED", pod("u1", 9), 3))
    assert known == collection.Known({}, 9, 3)


def test_a_watch_that_has_come_to_the_list_has_told_all() -> None:
    """What it knows besides came or went after the list."""
    there = collection.Known({"a": 3, "went_after": 4}, 7)
    assert collection.untold(collection.Known({"a": 3, "came_after": 9}, 9), there) == []
    assert collection.untold(collection.Known({"a": 3}, 7), there) == []


def test_what_a_list_has_and_a_watch_did_not_tell_is_named() -> None:
    there = collection.Known({"same": 1, "changed": 5, "came": 6}, 8)
    known = collection.Known({"same": 1, "changed": 2, "went": 3}, 4)
    assert collection.untold(known, there) == ["came", "changed", "went"]


_CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=12)


def after(changes: list[tuple[str, bool]]) -> collection.Known:
    """A collection after these changes, one version each: an object comes or changes, or goes."""
    known = collection.Known()
    for version, (uid, stays) in enumerate(changes, 1):
        if stays:
            known.versions[uid] = version
        else:
            known.versions.pop(uid, None)
        known.resource_version = version
    return known


@given(_CHANGES, _CHANGES, _CHANGES)
def test_nothing_is_untold_unless_the_lists_differ(
    first: list[tuple[str, bool]],
    then: list[tuple[str, bool]],
    later: list[tuple[str, bool]],
) -> None:
    silent, there = after(first), after(first + then)
    differ = collection.changed(silent.versions, there.versions)
    assert collection.untold(silent, there) == differ
    assert collection.untold(after(first + then + later), there) == []
