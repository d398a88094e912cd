"""Two kept runs side by side: what became of each guarantee, and of each measure."""

from dataclasses import dataclass

import msgspec

from chaoskit.store.kept import KeptRun, KeptScenario, KeptVerdict

ABSENT = "absent"
#: What has to be equal for two runs' figures to be compared at all.
SURROUNDINGS = ("kubernetes", "nodes", "profile", "image", "machine")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing in both runs: a scenario, a guarantee of it, a measure, or its surroundings.

    `kind` is "outcome", "guarantee", "measure" or "surroundings"; `before` and `after` are its
    values in words, "absent" where a run has none.
    """

    scenario: str
    kind: str
    what: str
    before: str
    after: str

    @property
    def is_same(self) -> bool:
        """Whether both runs say the same."""
        return self.before == self.after


def changes(before: KeptRun, after: KeptRun) -> list[Change]:
    """Everything that both runs have or one of them lacks, scenario by scenario."""
    old = {scenario.nodeid: scenario for scenario in before.scenarios}
    new = {scenario.nodeid: scenario for scenario in after.scenarios}
    return [
        change
        for nodeid in dict.fromkeys([*old, *new])
        for change in _of_scenario(nodeid, old.get(nodeid), new.get(nodeid))
    ]


def _of_scenario(nodeid: str, old: KeptScenario | None, new: KeptScenario | None) -> list[Change]:
    made = [
        _change(nodeid, "outcome", "", *(side.outcome if side else None for side in (old, new)))
    ]
    if old is None or new is None:
        return made
    made += [
        _change(nodeid, "surroundings", name, getattr(old, name), getattr(new, name))
        for name in SURROUNDINGS
    ]
    verdicts = _numbered(old), _numbered(new)
    made += [
        _change(nodeid, "guarantee", name, *(_outcome(side.get(name)) for side in verdicts))
        for name in dict.fromkeys([*verdicts[0], *verdicts[1]])
    ]
    measures = msgspec.structs.asdict(old.measures), msgspec.structs.asdict(new.measures)
    made += [
        _change(nodeid, "measure", name, *(_number(side[name]) for side in measures))
        for name in measures[0]
    ]
    return made


def _change(nodeid: str, kind: str, what: str, before: str | None, after: str | None) -> Change:
    return Change(
        scenario=nodeid, kind=kind, what=what, before=before or ABSENT, after=after or ABSENT
    )


def _numbered(scenario: KeptScenario) -> dict[str, KeptVerdict]:
    """Verdicts by title; a title that occurs again is numbered."""
    named: dict[str, KeptVerdict] = {}
    for verdict in scenario.verdicts:
        name, number = verdict.title, 2
        while name in named:
            name, number = f"{verdict.title} ({number})", number + 1
        named[name] = verdict
    return named


def _outcome(verdict: KeptVerdict | None) -> str | None:
    return None if verdict is None else verdict.outcome


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"
