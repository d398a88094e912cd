"""What a fault may not touch unless the scenario says so."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults import NicDown
from chaoskit.faults.fault import Reach
from chaoskit.run.blast_radius import EVERYTHING, Surroundings, require_allowed

AROUND = Surroundings(
    entries={"entry"}, control_plane={"server"}, namespaces={"own"}, has_node_faults=True
)

SHARED = replace(AROUND, is_shared=True)


@dataclass(frozen=True)
class Reaching:
    """A fault that is nothing but its reach."""

    reach: Reach
    name: ClassVar[str] = "reaching"
    target: ClassVar[str] = "something"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        raise AssertionError("it is never injected")

    def is_effective(self, cluster: Cluster) -> bool:
        raise AssertionError("it is never injected")

    def heal(self, cluster: Cluster) -> None:
        raise AssertionError("it is never injected")


def node(*names: str) -> Reach:
    return Reach(nodes=frozenset(names), cut=frozenset(names))


@pytest.mark.parametrize(
    "reach, around, name, seen",
    [
        (node("entry"), AROUND, "entry_node", "comes in through entry"),
        (node("server"), AROUND, "last_control_plane", "no other than server"),
        (node("server", "one"), AROUND, "last_control_plane", "no other than server"),
        (
            Reach(namespaces=frozenset({"own", "theirs"})),
            AROUND,
            "foreign_namespace",
            "namespace theirs, its own is own",
        ),
        (
            Reach(nodes=frozenset({"one"})),
            Surroundings(entries=(), control_plane=(), namespaces=None, has_node_faults=False),
            "node_faults",
            "nodes one",
        ),
        (node("one", "two"), SHARED, "shared_cluster", "seen: nodes one, two"),
        (Reach(control_plane=True), SHARED, "shared_cluster", "seen: the control plane"),
        (Reach(registry=True), SHARED, "shared_cluster", "seen: the private registry"),
    ],
)
def test_what_is_spared_is_named_with_how_to_allow_it(
    reach: Reach, around: Surroundings, name: str, seen: str
) -> None:
    fault = Reaching(reach)
    with pytest.raises(UsageError) as told:
        require_allowed(fault, around, ())
    assert seen in str(told.value)
    assert f'allow=("{name}",)' in str(told.value)
    require_allowed(fault, around, (name,))
    others = [one for one in EVERYTHING if one != name]
    with pytest.raises(UsageError):
        require_allowed(fault, around, others)


@pytest.mark.parametrize(
    "reach",
    [
        node("other"),
        Reach(nodes=frozenset({"entry", "server"})),  # touched, but not cut
        Reach(namespaces=frozenset({"own"})),
        Reach(control_plane=True),
    ],
)
def test_what_stays_within_its_reach_is_let_pass(reach: Reach) -> None:
    require_allowed(Reaching(reach), AROUND, ())


@pytest.mark.parametrize(
    "reach",
    [Reach(namespaces=frozenset({"own"})), Reach(nodes=frozenset({"one"}), only_own=True)],
)
def test_what_nobody_else_feels_is_let_pass_on_a_shared_cluster(reach: Reach) -> None:
    require_allowed(Reaching(reach), SHARED, ())


def test_one_of_several_control_planes_may_be_cut_and_the_last_not() -> None:
    def left(*names: str) -> Surroundings:
        return Surroundings(entries=(), control_plane=names, namespaces=None, has_node_faults=True)

    require_allowed(NicDown("a"), left("a", "b"), ())
    with pytest.raises(UsageError, match="no other than b"):
        require_allowed(NicDown("b"), left("b"), ())


def test_an_unknown_allowance_is_refused_before_anything_else() -> None:
    with pytest.raises(UsageError, match=r"seen: entry_nodes\n.*entry_node"):
        require_allowed(NicDown("other"), AROUND, ("entry_nodes",))


@pytest.mark.parametrize(
    "reach, seen",
    [
        (Reach(namespaces=frozenset({"own", "theirs"})), "not this run's own"),
        (Reach(nodes=frozenset({"one"})), "touch nodes"),
    ],
)
def test_on_somebody_elses_cluster_nothing_allows_it(reach: Reach, seen: str) -> None:
    elsewhere = Surroundings(
        entries=(), control_plane=(), namespaces={"own"}, has_node_faults=False, is_confined=True
    )
    with pytest.raises(UsageError, match=seen):
        require_allowed(Reaching(reach), elsewhere, EVERYTHING)
    require_allowed(Reaching(Reach(namespaces=frozenset({"own"}))), elsewhere, ())
