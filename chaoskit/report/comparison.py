"""Two stored runs beside each other: what became better, what worse, and by how much."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.session import ScenarioOutcome
from chaoskit.report.stored import RANK, StoredRun, StoredScenario

#: worse and better are about outcomes; a figure that moved alone is `same`.
Change = Literal["worse", "better", "same", "new", "gone"]
CHANGES: tuple[Change, ...] = ("worse", "better", "new", "gone", "same")

#: Figures that moved by less than this part of the former are not worth a reader's time.
_TELLING = 0.05
_FIGURES_AT_MOST = 6


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A figure of both runs, by its name with the unit."""

    name: str
    before: float
    after: float

    @property
    def ratio(self) -> float | None:
        """How many times the former it is now; None where that was 0."""
        return self.after / self.before if self.before else None


@dataclass(frozen=True, kw_only=True)
class ComparedGuarantee:
    """A guarantee in both runs; None where the run did not judge it."""

    name: str
    before: Verdict | None
    after: Verdict | None
    change: Change
    moved: tuple[Moved, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedScenario:
    """A scenario in both runs; None where the run did not have it."""

    nodeid: str
    title: str
    before: StoredScenario | None
    after: StoredScenario | None
    change: Change
    guarantees: tuple[ComparedGuarantee, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs, scenario by scenario: the worst changes first, otherwise in the latter's order."""

    before: StoredRun
    after: StoredRun
    scenarios: tuple[ComparedScenario, ...]

    @property
    def counts(self) -> dict[Change, int]:
        """How many scenarios changed in each way."""
        counted = Counter(scenario.change for scenario in self.scenarios)
        return {change: counted[change] for change in CHANGES}

    @property
    def is_worse(self) -> bool:
        """Whether a scenario or a guarantee has a worse outcome than before, or is new and bad."""
        return any(
            change == "worse"
            for scenario in self.scenarios
            for change in (scenario.change, *(one.change for one in scenario.guarantees))
        )


def compare(before: StoredRun, after: StoredRun) -> Comparison:
    """Match scenarios by their node ids, and guarantees by name and order within them."""
    earlier = {scenario.nodeid: scenario for scenario in before.scenarios}
    later = {scenario.nodeid: scenario for scenario in after.scenarios}
    compared = [
        _scenario(nodeid, earlier.get(nodeid), later.get(nodeid)) for nodeid in {**later, **earlier}
    ]
    compared.sort(key=_urgency)
    return Comparison(before=before, after=after, scenarios=tuple(compared))


def _urgency(scenario: ComparedScenario) -> int:
    changes = (scenario.change, *(one.change for one in scenario.guarantees))
    return min(CHANGES.index(change) for change in changes)


def _scenario(
    nodeid: str, before: StoredScenario | None, after: StoredScenario | None
) -> ComparedScenario:
    shown = after or before
    assert shown is not None  # the node id is from one of the two
    earlier, later = (numbered_verdicts(one.verdicts if one else ()) for one in (before, after))
    return ComparedScenario(
        nodeid=nodeid,
        title=shown.title,
        before=before,
        after=after,
        change=_change(before.outcome if before else None, after.outcome if after else None),
        guarantees=tuple(
            _guarantee(name, earlier.get(name), later.get(name)) for name in {**later, **earlier}
        ),
    )


def numbered_verdicts(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Verdicts by a name that is the same in every run: the guarantee's, numbered where it recurs.

    Titles are not: they hold names of nodes and pods, and bounds that depend on the profile.
    """
    used: Counter[str] = Counter()
    named = {}
    for verdict in verdicts:
        used[verdict.guarantee] += 1
        number = used[verdict.guarantee]
        named[verdict.guarantee + (f" ({number})" if number > 1 else "")] = verdict
    return named


def _guarantee(name: str, before: Verdict | None, after: Verdict | None) -> ComparedGuarantee:
    return ComparedGuarantee(
        name=name,
        before=before,
        after=after,
        change=_change(
            before.outcome.value if before else None, after.outcome.value if after else None
        ),
        moved=tuple(_moved(before, after)) if before and after else (),
    )


def _change(before: ScenarioOutcome | None, after: ScenarioOutcome | None) -> Change:
    if before is None:
        return "new" if after in ("HELD", "NOT_RUN") else "worse"
    if after is None:
        return "gone"
    if RANK[before] == RANK[after]:
        return "same"
    if "NOT_RUN" in (before, after):  # says nothing of the system: only what did not hold is worse
        return "gone" if after == "NOT_RUN" else "new" if after == "HELD" else "worse"
    return "worse" if RANK[after] > RANK[before] else "better"


def _moved(before: Verdict, after: Verdict) -> Sequence[Moved]:
    """The figures that both have and that differ tellingly, those that moved most first."""
    found = [
        Moved(name=name, before=value, after=after.figures[name])
        for name, value in before.figures.items()
        if name in after.figures
    ]

    def distance(one: Moved) -> float:
        most = max(abs(one.before), abs(one.after))
        return abs(one.after - one.before) / most if most else 0.0

    telling = [one for one in found if distance(one) > _TELLING]
    return sorted(telling, key=distance, reverse=True)[:_FIGURES_AT_MOST]
