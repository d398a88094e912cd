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
