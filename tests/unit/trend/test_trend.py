"""Trends on kept runs with known truth: what got worse is named, and chance is not."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from chaoskit.store.kept import KeptRun, Measures
from chaoskit.trend.html import page
from chaoskit.trend.judging import trend_of
from chaoskit.trend.report import TrendReport
from chaoskit.trend.statistics import adjusted, changes_in, more_often
from chaoskit.trend.writing import as_json, markdown
from tests.unit.store.kept_runs import run, scenario, verdict


def runs_of(outcomes: str, **changes: Any) -> list[KeptRun]:
    """A run for each letter, with one guarantee that ended so: H, V or U."""
    words = {"H": "HELD", "V": "VIOLATED", "U": "UNKNOWN"}
    return [
        run(n, words[letter], run_id=f"r{n:02}", scenarios=[scenario(words[letter], **changes)])
        for n, letter in enumerate(outcomes)
    ]


def trend(runs: Sequence[KeptRun]) -> TrendReport:
    return trend_of(runs, since="30d", store="runs.sqlite")


def state_of(outcomes: str) -> str:
    (found,) = trend(runs_of(outcomes)).scenarios
    (guarantee,) = found.guarantees
    return guarantee.state


@pytest.mark.parametrize(
    "outcomes, state",
    [
        ("H" * 15 + "V" * 5, "worse"),
        ("H" * 12 + "V" * 8, "worse"),
        ("V" * 15 + "H" * 5, "better"),
        ("H" * 8 + "V" * 14, "worse"),  # it has lasted for longer than the recent runs
        ("V" * 6 + "H" * 14, "better"),
        ("H" * 20, "steady"),
        ("V" * 20, "steady"),
        ("H" * 15 + "HHVHH", "steady"),  # one in five is what chance does
        ("VHHVHVHHVHHHVHV" + "VHHVH", "steady"),
        ("H" * 9, "too little history"),
        ("HHHHVVVVV", "too little history"),
        ("H" * 15 + "U" * 5, "worse"),  # whoever cannot tell any more has got worse
        ("U" * 20, "too little history"),
        ("HUHUHUHUHUHUHUHUHUHU", "steady"),
    ],
)
def test_a_guarantee_is_called_what_it_is(outcomes: str, state: str) -> None:
    assert state_of(outcomes) == state


def test_unknown_is_a_series_of_its_own() -> None:
    (found,) = trend(runs_of("HUHHUHHHHHHUHHHVVVVV")).scenarios
    (guarantee,) = found.guarantees
    assert (guarantee.unknown.before, guarantee.unknown.recent) == (3, 0)
    assert (guarantee.violated.before, guarantee.violated.of_before) == (0, 12)
    assert (guarantee.violated.recent, guarantee.violated.of_recent) == (5, 5)


def test_a_change_of_verdicts_is_dated() -> None:
    (found,) = trend(runs_of("HHUHHHHHHHHHVVVUVVVV")).scenarios
    (guarantee,) = found.guarantees
    assert guarantee.since == "r12"
    assert guarantee.said.startswith(
        "more often VIOLATED since r12: 7 of 7 runs, 0 of 11 before (p = 3.1e-05); UNKNOWN: 1 of"
    )


def test_too_little_history_says_how_much_is_missing() -> None:
    (found,) = trend(runs_of("HHHHHHH")).scenarios
    assert found.guarantees[0].said == "7 of the 10 runs needed told HELD or VIOLATED"
    assert found.measures[0].said == "7 of the 8 values needed"
    assert trend(runs_of("HHHHHHH")).state == "too little history"
    assert trend([]).state == "too little history"


def test_the_test_is_fishers() -> None:
    """Against the hypergeometric distribution by hand: 1 / C(20, 5)."""
    assert more_often((0, 15), (5, 5)) == pytest.approx(1 / 15504)
    assert more_often((5, 15), (0, 5)) == pytest.approx(1.0)


def test_many_series_are_paid_for() -> None:
    """What one series alone would call worse is chance among two hundred."""
    alone = more_often((1, 15), (3, 5))
    assert alone < 0.05
    assert adjusted([alone, *[1.0] * 200])[0] > 0.5
    assert adjusted([]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kubernetes": "v1.37.0"},
        {"nodes": "1+3"},
        {"machine": "x86_64 64 cores 256 GiB"},
        {"profile": "default"},
        {"nodeid": "scenarios/test_one.py::test_other"},
    ],
)
def test_other_surroundings_are_another_baseline(changes: dict[str, str]) -> None:
    """Everything fails on the new one from its first run: that is no change of the old one."""
    before = runs_of("H" * 15)
    after = [
        run(20 + n, "VIOLATED", run_id=f"n{n}", scenarios=[scenario("VIOLATED", **changes)])
        for n in range(5)
    ]
    found = trend([*before, *after]).scenarios
    assert [(len(each.outcomes), each.state) for each in found] == [
        (15, "steady"),
        (5, "too little history"),
    ]


def test_other_parameters_are_another_claim() -> None:
    stricter = verdict("VIOLATED", parameters={"at_most_s": 0.1, "phase": None})
    after = [
        run(20 + n, run_id=f"n{n}", scenarios=[scenario("VIOLATED", verdicts=[stricter])])
        for n in range(5)
    ]
    (found,) = trend([*runs_of("H" * 15), *after]).scenarios
    assert [(len(g.points), g.state) for g in found.guarantees] == [
        (15, "steady"),
        (5, "too little history"),
    ]


def test_what_was_not_run_says_nothing() -> None:
    skipped = run(30, "NOT_RUN", run_id="skipped", scenarios=[scenario("NOT_RUN", verdicts=[])])
    (found,) = trend([*runs_of("H" * 12), skipped]).scenarios
    assert len(found.outcomes) == 12


def with_downtimes(values: Sequence[float]) -> list[KeptRun]:
    return [
        run(n, run_id=f"r{n:02}", scenarios=[scenario(measures=Measures(downtime_s=value))])
        for n, value in enumerate(values)
    ]


def noise(count: int, around: float, seed: int) -> list[float]:
    return [float(each) for each in np.random.default_rng(seed).lognormal(0, 0.3, count) * around]


@pytest.mark.parametrize("seed", range(5))
def test_a_measure_that_changes_is_dated(seed: int) -> None:
    values = [*noise(14, 0.2, seed), *noise(8, 2.0, seed + 100)]
    (found,) = trend(with_downtimes(values)).scenarios
    (measure,) = found.measures
    assert measure.state == "worse"
    (change,) = measure.changes
    assert change.run_id == "r14"
    assert change.before_s < 0.4
    assert change.after_s > 1


def test_a_measure_that_gets_better_is_no_alarm() -> None:
    found = trend(with_downtimes([*noise(10, 2.0, 1), *noise(10, 0.2, 2)]))
    assert found.state == "better"


def test_a_change_too_small_to_matter_is_none() -> None:
    """Sure, and four milliseconds."""
    assert trend(with_downtimes([0.001] * 10 + [0.005] * 10)).scenarios[0].measures[0].state == (
        "steady"
    )


@pytest.mark.parametrize("count", [12, 24, 60])
def test_noise_is_seldom_called_a_change(count: int) -> None:
    """At most 5 in 100 series of pure noise; by this seed it is always the same ones."""
    random = np.random.default_rng(7)
    alarms = sum(bool(changes_in(list(random.lognormal(0, 0.5, count)))) for _ in range(100))
    assert alarms <= 5


@pytest.mark.parametrize("values", [[], [1.0], [0.5] * 30, [1.0, 2.0] * 3])
def test_short_and_constant_series_have_no_change(values: list[float]) -> None:
    assert changes_in(values) == []


def test_the_findings_come_first_and_the_worst_first() -> None:
    runs = [
        run(
            n,
            scenarios=[
                scenario(nodeid="a", verdicts=[verdict("HELD" if n > 10 else "VIOLATED")]),
                scenario(nodeid="b", verdicts=[verdict("VIOLATED" if n > 14 else "HELD")]),
            ],
        )
        for n in range(20)
    ]
    found = trend(runs)
    assert found.state == "worse"
    assert [finding.split(":")[0] for finding in found.findings] == ["worse", "better"]
    assert [each.nodeid for each in found.scenarios] == ["b", "a"]


@pytest.mark.parametrize("form", [markdown, page, as_json])
def test_every_form_names_what_got_worse(form: Callable[[TrendReport], str]) -> None:
    text = form(trend(runs_of("H" * 15 + "V" * 5, title="It goes on & <on>")))
    assert "5 of 5 runs, 0 of 15 before" in text
    assert "<on>" not in text or form is as_json


def test_the_page_is_whole_by_itself() -> None:
    text = page(trend([*with_downtimes([*noise(14, 0.2, 1), *noise(8, 2.0, 2)])]))
    assert "://" not in text
    assert "<script" not in text
    assert text.count('class="cell held"') == 22
    assert text.count('class="dot change"') == 1
    assert page(trend([])).count("No run is kept from this time") == 1


def test_json_keeps_every_run_of_each_series() -> None:
    told = json.loads(as_json(trend(runs_of("HHUV"))))
    (found,) = told["scenarios"]
    outcomes = [point["outcome"] for point in found["guarantees"][0]["points"]]
    assert outcomes == ["HELD", "HELD", "UNKNOWN", "VIOLATED"]
    assert told["schema"] == 1
