"""What may be swept, and what must stay."""

import dataclasses

import pytest

from chaoskit.cluster.launch import labels
from chaoskit.cluster.launch.leftovers import Found, Thing

ALIVE = labels.this_process()
DEAD = dataclasses.replace(ALIVE, started_ticks=1)
UNSEEN = dataclasses.replace(ALIVE, boot_id="another machine")


def found(
    owner: labels.Owner, *, keep: bool = False, statuses: tuple[str, ...] = ("running",)
) -> Found:
    tags = labels.labels(cluster="c", owner=owner, keep=keep)
    nodes = [
        Thing(
            kind="container",
            id=f"{index}",
            name=f"c-{index}",
            labels={**tags, labels.NODE: f"c-{index}"},
            status=status,
        )
        for index, status in enumerate(statuses)
    ]
    network = Thing(kind="network", id="n", name="c", labels=tags)
    return Found(cluster="c", things=(*nodes, network))


@pytest.mark.parametrize("statuses", [("running",), ("exited",), ()])
@pytest.mark.parametrize("keep", [True, False])
def test_what_a_living_process_owns_stays(keep: bool, statuses: tuple[str, ...]) -> None:
    assert found(ALIVE, keep=keep, statuses=statuses).abandoned() is None


@pytest.mark.parametrize("statuses", [("running",), ("exited",), ()])
def test_what_a_dead_process_owned_goes(statuses: tuple[str, ...]) -> None:
    assert "is gone" in (found(DEAD, statuses=statuses).abandoned() or "")


def test_a_kept_cluster_that_came_up_whole_outlives_its_owner() -> None:
    note = Thing(kind="volume", id="f", name="c-facts", labels={labels.FACTS: '{"image": "i"}'})
    started = found(DEAD, keep=True)
    whole = dataclasses.replace(started, things=(*started.things, note))
    assert whole.facts == {"image": "i"}
    assert whole.abandoned() is None


def test_a_kept_cluster_killed_while_it_started_goes() -> None:
    assert "is gone" in (found(DEAD, keep=True).abandoned() or "")


def test_an_owner_out_of_sight_is_judged_by_its_nodes() -> None:
    assert found(UNSEEN, statuses=("exited", "running")).abandoned() is None
    assert "have ended" in (found(UNSEEN, statuses=("exited", "exited")).abandoned() or "")
    assert found(UNSEEN, statuses=()).abandoned() is None
    assert found(UNSEEN, keep=True, statuses=("exited",)).abandoned() is None


def test_things_without_a_readable_owner_go() -> None:
    thing = Thing(kind="volume", id="v", name="v", labels={labels.CLUSTER: "c"})
    assert Found(cluster="c", things=(thing,)).abandoned() is not None
