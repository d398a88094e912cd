"""Two runs side by side: what is worse is seen, named, and told by the exit status."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chaoskit.cli import compare as command
from chaoskit.cli import report as report_command
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.session import write_session
from chaoskit.report.comparison import Comparison, compare
from chaoskit.report.markdown import comparison_summary
from chaoskit.report.stored import load_run
from tests.unit.report.scenes import SCENARIOS, session_of, write_run
from tests.unit.report.synthetic import run_info, verdict, write_record

NODEID = "scenarios/t.py::test_it"


def of(folder: Path, *verdicts: Verdict, nodeid: str = NODEID) -> Path:
    write_record(folder / "one", run_info("It", scenario=nodeid), verdicts=verdicts)
    return folder


def compared(tmp_path: Path, before: list[Verdict], after: list[Verdict]) -> Comparison:
    return compare(
        load_run(of(tmp_path / "before", *before)), load_run(of(tmp_path / "after", *after))
    )


@pytest.mark.parametrize(
    "before, after, change, worse",
    [
        ("HELD", "VIOLATED", "worse", True),
        ("HELD", "UNKNOWN", "worse", True),
        ("UNKNOWN", "VIOLATED", "worse", True),
        ("VIOLATED", "UNKNOWN", "better", False),
        ("VIOLATED", "HELD", "better", False),
        ("VIOLATED", "VIOLATED", "same", False),
        ("HELD", "HELD", "same", False),
    ],
)
def test_an_outcome_is_worse_by_its_rank(
    tmp_path: Path, before: str, after: str, change: str, worse: bool
) -> None:
    found = compared(tmp_path, [verdict(before, "a", "")], [verdict(after, "a", "")])
    (scenario,) = found.scenarios
    assert (scenario.change, scenario.guarantees[0].change, found.is_worse) == (
        change,
        change,
        worse,
    )


def test_one_that_became_worse_beside_one_that_became_better_is_seen(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        [verdict("VIOLATED", "a", ""), verdict("HELD", "b", "")],
        [verdict("HELD", "a", ""), verdict("VIOLATED", "b", "")],
    )
    (scenario,) = found.scenarios
    assert scenario.change == "same"
    assert [one.change for one in scenario.guarantees] == ["better", "worse"]
    assert found.is_worse


def test_what_is_new_is_bad_only_if_it_did_not_hold(tmp_path: Path) -> None:
    good = compared(tmp_path / "1", [], [verdict("HELD", "a", "")])
    assert good.scenarios[0].guarantees[0].change == "new"
    bad = compared(
        tmp_path / "2", [verdict("HELD", "a", "")], [verdict("HELD", "a", ""),
        verdict("UNKNOWN", "b", "")],
    )  # fmt: skip
    assert bad.scenarios[0].guarantees[1].change == "worse"
    gone = compared(tmp_path / "3", [verdict("HELD", "a", "")], [])
    assert gone.scenarios[0].guarantees[0].change == "gone"


def test_guarantees_of_one_name_are_matched_in_their_order(tmp_path: Path) -> None:
    def outage(outcome: str, seconds: float) -> Verdict:
        return verdict(outcome, "outage", f"{seconds}", figures={"outage_at_least_s": seconds})

    found = compared(
        tmp_path,
        [outage("HELD", 1.0), outage("HELD", 20.0)],
        [outage("HELD", 1.01), outage("VIOLATED", 40.0)],
    )
    first, second = found.scenarios[0].guarantees
    assert (first.name, second.name) == ("outage", "outage (2)")
    assert first.moved == ()
    assert second.change == "worse"
    (moved,) = second.moved
    assert (moved.name, moved.before, moved.after, moved.ratio) == (
        "outage_at_least_s", 20.0, 40.0, 2.0,
    )  # fmt: skip


def test_a_figure_that_was_zero_moves_without_a_ratio(tmp_path: Path) -> None:
    before, after = (verdict("HELD", "a", "", figures={"lost": n}) for n in (0.0, 3.0))
    (moved,) = compared(tmp_path, [before], [after]).scenarios[0].guarantees[0].moved
    assert moved.ratio is None


def test_scenarios_that_only_one_run_has_are_new_or_gone(tmp_path: Path) -> None:
    before = of(tmp_path / "before", verdict("HELD", "a", ""), nodeid="t.py::old")
    after = of(tmp_path / "after", verdict("HELD", "a", ""), nodeid="t.py::new")
    found = compare(load_run(before), load_run(after))
    assert {s.nodeid: s.change for s in found.scenarios} == {
        "t.py::old": "gone", "t.py::new": "new",
    }  # fmt: skip
    assert found.counts == {"worse": 0, "better": 0, "new": 1, "gone": 1, "same": 0}
    assert not found.is_worse


def test_a_row_that_is_not_run_any_more_is_gone_and_not_better(tmp_path: Path) -> None:
    folders = []
    for name in ("before", "after"):
        folder = write_run(tmp_path / name)
        changed: dict[str, Any] = {}
        if name == "before":
            changed = {"scenarios": [s for s in SCENARIOS if s.slug != "netem"]}
        write_session(session_of(**changed), folder)
        folders.append(folder)
    found = compare(load_run(folders[0]), load_run(folders[1]))
    assert [s.change for s in found.scenarios if "loss" in s.nodeid] == ["new"]
    assert not found.is_worse


def test_markdown_and_page_name_what_changed(tmp_path: Path) -> None:
    evil = "a | <b> `c`"
    found = compared(
        tmp_path,
        [verdict("HELD", "outage", evil, figures={"outage_s": 1.0})],
        [verdict("VIOLATED", "outage", evil, figures={"outage_s": 9.0})],
    )
    text = comparison_summary(found)
    assert ": worse" in text.splitlines()[0]
    assert "| ⬇️ worse | outage | ✅ held | ❌ violated | outage\\_s: 1 → 9 |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}


def test_the_command_says_by_its_status_whether_anything_is_worse(tmp_path: Path) -> None:
    good = of(tmp_path / "good", verdict("HELD", "a", "fine"))
    bad = of(tmp_path / "bad", verdict("VIOLATED", "a", "<script>alert(1)</script>"))

    def status(*arguments: object) -> Any:
        done = CliRunner().invoke(
            command.command, [str(one) for one in arguments], standalone_mode=False
        )
        assert done.exception is None
        return done.return_value

    assert status(good, good) == 0
    assert status(bad, good) == 0
    assert status(good, bad, "--into", tmp_path / "out") == 1
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "Something is worse than before." in page


@pytest.mark.parametrize("outcome, status", [("HELD", 0), ("VIOLATED", 1), ("UNKNOWN", 3)])
def test_the_report_ends_with_the_outcome_where_that_is_asked_for(
    tmp_path: Path, outcome: str, status: int
) -> None:
    folder = str(of(tmp_path, verdict(outcome, "a", "b")))
    for options, wanted in (([], 0), (["--exit-status"], status)):
        done = CliRunner().invoke(
            report_command.command, [folder, "--only", "json", *options], standalone_mode=False
        )
        assert done.return_value == wanted
