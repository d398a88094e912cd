"""Several faults at once, again and again, and on a schedule: in which order what is asked for.

Injecting and healing themselves are tried on a cluster; here stands what asks for them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chaoskit import clock
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import FaultError, UsageError
from chaoskit.faults import NicDown
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.guard import Guard
from chaoskit.run.composition import Planned, at_once, flap, let_pass, play
from chaoskit.run.injection import Injection, Injector
from chaoskit.run.marks import Marks


class Noted:
    """Stands for an injection: notes what is asked of it."""

    def __init__(self, fault: Fault, noting: "Noting") -> None:
        self._fault = fault
        self._noting = noting
        self._ended = False

    def wait_effective(self, timeout_s: float) -> None:
        if self._fault.target in self._noting.without_effect:
            raise FaultError("was injected, but its effect was not seen")
        self._noting.note("seen", self._fault)

    def end(self, cause: BaseException | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        self._noting.note("healed", self._fault)
        if self._fault.target in self._noting.not_healing:
            raise FaultError(f"{self._fault.target} does not heal")


@dataclass(frozen=True, kw_only=True)
class Noting(Injector):
    """An injector that touches nothing."""

    cluster: K3sCluster = field(default=cast(Any, None))
    log: Marks = field(default=cast(Any, None))
    guard: Guard = field(default=cast(Any, None))
    said: list[str] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    without_effect: Collection[str] = ()
    not_healing: Collection[str] = ()
    refused: Collection[str] = ()
    begun_ns: int = field(default_factory=clock.now_ns)

    def begin(self, fault: Fault, *, at_most_s: float, allow: Collection[str] = ()) -> Injection:
        if fault.target in self.refused:
            raise UsageError(f"{fault.target} is spared")
        self.note("injected", fault)
        return cast(Injection, Noted(fault, self))

    def note(self, what: str, fault: Fault) -> None:
        self.said.append(f"{what} {fault.target}")
        self.at_s.append((clock.now_ns() - self.begun_ns) / 1e9)


A, B, C = NicDown("a"), NicDown("b"), NicDown("c")


def test_several_are_healed_in_reverse() -> None:
    noting = Noting()
    with at_once(noting, [A, B], at_most_s=9, effective_within_s=9):
        noting.said.append("inside")
    assert noting.said == [
        "injected a", "injected b", "seen a", "seen b", "inside", "healed b", "healed a",
    ]  # fmt: skip


def test_one_that_is_refused_or_has_no_effect_heals_those_before() -> None:
    refusing = Noting(refused=["b"])
    with (
        pytest.raises(UsageError, match="b is spared"),
        at_once(refusing, [A, B, C], at_most_s=9, effective_within_s=9),
    ):
        pytest.fail("it went on")
    assert refusing.said == ["injected a", "healed a"]
    idle = Noting(without_effect=["b"])
    with (
        pytest.raises(FaultError, match="not seen"),
        at_once(idle, [A, B], at_most_s=9, effective_within_s=9),
    ):
        pytest.fail("it went on")
    assert idle.said[-2:] == ["healed b", "healed a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_it_all_are_healed_and_a_failure_to_heal_stops_no_other(
    error: type[BaseException],
) -> None:
    noting = Noting(not_healing=["b", "c"])
    with (
        pytest.raises(FaultError, match="c does not heal") as told,
        at_once(noting, [A, B, C], at_most_s=9, effective_within_s=9),
    ):
        raise error
    assert noting.said[-3:] == ["healed c", "healed b", "healed a"]
    assert "b does not heal" in told.value.__notes__[0]
    assert isinstance(told.value.__context__, FaultError | error)


def test_flapping_is_one_injection_a_time_with_no_wait_after_the_last() -> None:
    noting = Noting()
    passed: list[float] = []
    flap(noting, A, down_s=2, up_s=3, times=3, effective_within_s=9, let_pass=passed.append)
    assert noting.said == ["injected a", "seen a", "healed a"] * 3
    assert passed == [2, 3, 2, 3, 2]


def test_a_plan_is_played_by_its_times_and_overlaps() -> None:
    noting = Noting()
    plan = [Planned(C, 0.3, 0.1), Planned(A, 0.0, 0.2), Planned(B, 0.1, 0.4)]
    play(noting, plan, let_pass=let_pass)
    acts = [one for one in noting.said if not one.startswith("seen")]
    assert acts == [
        "injected a", "injected b", "healed a", "injected c", "healed c", "healed b",
    ]  # fmt: skip
    times = [at for said, at in zip(noting.said, noting.at_s, strict=True) if "seen" not in said]
    assert times == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], abs=0.09)


def test_a_planned_fault_without_effect_is_an_error_and_heals_all() -> None:
    noting = Noting(without_effect=["a"])
    with pytest.raises(FaultError, match="not seen"):
        play(noting, [Planned(A, 0, 0.05), Planned(B, 0.01, 5)], let_pass=let_pass)
    assert noting.said == ["injected a", "injected b", "healed a", "healed b"]


@pytest.mark.parametrize("at_s, for_s", [(-1, 1), (0, 0), (0, -1)])
def test_what_cannot_be_planned(at_s: float, for_s: float) -> None:
    with pytest.raises(UsageError, match="cannot be planned so"):
        Planned(A, at_s, for_s)


def test_nothing_is_no_plan_and_no_injection() -> None:
    with pytest.raises(UsageError, match="nothing in it"):
        play(Noting(), [], let_pass=let_pass)
    with (
        pytest.raises(UsageError, match="nothing to inject"),
        at_once(Noting(), [], at_most_s=9, effective_within_s=9),
    ):
        pytest.fail("it went on")
    with pytest.raises(UsageError, match="cannot flap so"):
        flap(Noting(), A, down_s=1, up_s=1, times=0, effective_within_s=9, let_pass=let_pass)
