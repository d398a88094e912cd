"""A plan of faults drawn from chance: one after the other and two at a time, round by round."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.errors import UsageError
from chaoskit.faults.fault import Fault
from chaoskit.run.composition import Planned

#: A fault is in effect for so long, evenly drawn; the second of two begins within the first.
LASTS_S = (6.0, 14.0)


@dataclass(frozen=True)
class Round:
    """Faults that may overlap; after the last is healed the system has `rest_s` to recover."""

    plan: tuple[Planned, ...]
    rest_s: float

    @property
    def lasts_s(self) -> float:
        """From its beginning to the end of its rest."""
        return max(each.at_s + each.for_s for each in self.plan) + self.rest_s

    def __str__(self) -> str:
        return " and ".join(
            f"{one.fault.name} on {one.fault.target} from {one.at_s:.1f} s for {one.for_s:.1f} s"
            for one in self.plan
        )


def drawn_rounds(
    chance: random.Random, among: Sequence[Fault], *, length_s: float, rest_s: float
) -> list[Round]:
    """Rounds that take `length_s` in all, every second one with two faults on different nodes.

    The same chance gives the same plan. Each fault comes before any comes again. Raises
    `UsageError` if nothing fits, or no two faults are on different nodes.
    """
    pairs = [(a, b) for a in among for b in among if not _touched(a) & _touched(b)]
    if not pairs or length_s < LASTS_S[0] + rest_s:
        raise UsageError(
            "no rounds can be drawn",
            subject=f"{len(among)} faults in {length_s:g} s",
            next_step=f"give faults on different nodes, and more than {rest_s + LASTS_S[1]:g} s",
        )
    rounds: list[Round] = []
    left: list[Fault] = []
    spent_s = 0.0
    while True:
        if not left:
            left = chance.sample(among, len(among))
        first = left.pop()
        others = [b for a, b in pairs if a == first]
        is_pair = len(rounds) % 2 == 1 and bool(others)
        one = _round(chance, [first, *([chance.choice(others)] if is_pair else [])], rest_s)
        spent_s += one.lasts_s
        if spent_s > length_s and rounds:
            return rounds
        rounds.append(one)


def _round(chance: random.Random, faults: Sequence[Fault], rest_s: float) -> Round:
    plan, at_s = [], 0.0
    for fault in faults:
        for_s = round(chance.uniform(*LASTS_S), 1)
        plan.append(Planned(fault, at_s=at_s, for_s=for_s))
        at_s = round(chance.uniform(1.0, for_s - 2.0), 1)
    return Round(plan=tuple(plan), rest_s=rest_s)


def _touched(fault: Fault) -> frozenset[str]:
    return fault.reach.nodes | fault.reach.cut
