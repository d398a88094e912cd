"""Long runs: what is done stays done, what failed or was cut short is done again."""

import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks.soak.mutants import Mutants, chosen
from benchmarks.soak.mutated_tree import copy_tree, has_mutants
from benchmarks.soak.properties import Properties
from benchmarks.soak.repeats import Repeats, too_few
from benchmarks.soak.stage import Ledger

ROOT = Path(__file__).parents[3]


def row(piece: str, *, done: bool = True) -> dict[str, object]:
    return {"piece": piece, "done": done}


def test_pieces_that_are_done_are_not_left(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "stage")
    assert ledger.left(["a", "b"]) == ["a", "b"]
    ledger.append(row("a"))
    assert ledger.left(["a", "b"]) == ["b"]
    assert [each["piece"] for each in ledger.rows()] == ["a"]


def test_a_piece_that_failed_is_left_until_it_passed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(row("a", done=False))
    assert ledger.left(["a"]) == ["a"]
    ledger.append(row("a"))
    assert ledger.left(["a"]) == []
    assert len(ledger.rows()) == 2


def test_a_line_cut_short_by_a_kill_costs_its_piece_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for piece in ("a", "b"):
        ledger.append(row(piece))
    file = tmp_path / "results.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    assert ledger.left(["a", "b"]) == ["b"]
    ledger.append(row("b"))
    assert [each["piece"] for each in ledger.rows()] == ["a", "b"]


def test_properties_add_up_test_by_test() -> None:
    part = {"test": "tests/unit/x.py::test_y", "seed": 1, "exhausted": False, "seconds": 2.0}
    rows = [
        {"piece": "1", "done": True, "examples": 2000, **part},
        {"piece": "2", "done": False, "examples": 17, **part},
    ]
    table = Properties().table(rows)
    assert "| `x.py::test_y` | 2017 | 4 | fails, 1 part(s) failed before |" in table
    assert "1 tests, 2017 examples in all." in table


def test_a_property_that_does_not_hold_fails_its_piece(tmp_path: Path) -> None:
    test = tmp_path / "test_wrong.py"
    test.write_text(
        "from hypothesis import given, strategies as st\n"
        "from tests.corpus.examples import examples\n"
        "@examples(20)\n"
        "@given(st.integers(0, 1000))\n"
        "def test_small(number: int) -> None:\n"
        "    assert number < 990\n"
    )
    wrong = Properties(at_once=1500).run(f"{test}::test_small part 1", tmp_path / "stage")
    assert not wrong["done"]
    kept = (tmp_path / "stage" / "failed" / f"{wrong['seed']}.txt").read_text()
    assert "number=990" in kept
    test.write_text(test.read_text().replace("< 990", "<= 1000"))
    right = Properties(at_once=1500).run(f"{test}::test_small part 1", tmp_path / "stage")
    assert right["done"]
    assert right["examples"] == 1001
    assert right["exhausted"]


def test_mutants_are_pieces_of_their_source_and_samples_come_first() -> None:
    names = [piece.partition(" as of ")[0] for piece in Mutants(sample=7).pieces()]
    assert names[:3] == ["core: 7 of it,", "requests: 7 of it,", "rollouts: 7 of it,"]
    half = len(names) // 2
    assert [name.partition(":")[0] for name in names[:half]] == names[half:]


def test_mutants_are_counted_by_fate_and_the_sample_bounds_its_group() -> None:
    modules = {"requests.outage": {"killed": 70, "survived": 2, "None": 928}}
    sample = {"killed": 54, "timed out": 2, "survived": 2, "no tests": 1, "None": 1}
    sampled = {"group": "requests", "sample": sample, "modules": modules}
    none = {"group": "core", "sample": {"None": 9}, "modules": {"judge": {"None": 90}}}
    table = Mutants().table([sampled, none])
    # 3 of the 59 that were examined: 1 - 0.05 = P(at least 4 of 59 | 12.6 %)
    assert "| requests | 1000 | 60 | 54 | 2 | 2 | 1 | 1 | 5.1% | 12.6% |" in table
    assert "| core | 90 | 9 | 0 | 0 | 0 | 0 | 9 | - | - |" in table
    assert "| `requests.outage` | 1000 | 70 | 0 | 2 | 0 | 928 |" in table
    assert "Not begun: rollouts, stateful_sets, " in table


def mutants_of(module: str, count: int) -> list[str]:
    return [f"chaoskit.guarantees.{module}.x_f__mutmut_{number}" for number in range(count)]


def test_a_sample_has_its_share_of_every_module() -> None:
    mutants = mutants_of("pods.large", 600) + mutants_of("pods.half", 300) + mutants_of("one", 1)
    counted = Counter(mutant.split(".x_")[0] for mutant in chosen(mutants, 90))
    assert counted == {
        "chaoskit.guarantees.pods.large": 60,
        "chaoskit.guarantees.pods.half": 30,
        "chaoskit.guarantees.one": 1,
    }
    assert sorted(chosen(mutants, len(mutants))) == sorted(mutants)
    assert sorted(chosen(mutants, 10_000)) == sorted(mutants)
    assert chosen([], 90) == []


def test_a_sample_is_the_same_each_time_and_drawn_from_everywhere() -> None:
    mutants = mutants_of("pods.large", 600)
    sample = chosen(mutants, 60)
    assert sample == chosen(reversed(mutants), 60)
    assert set(sample) < set(chosen(mutants, 90))
    numbers = [int(mutant.rpartition("_")[2]) for mutant in sample]
    assert 200 < sum(numbers) / 60 < 400
    others = [mutant for mutant in mutants if mutant not in sample[:5]]
    assert set(sample[5:]) < set(chosen(others, 60))


def test_a_copy_of_the_tree_is_narrowed_to_its_group_and_has_mutants_only_once_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    copy_tree(tmp_path, "network")
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["mutmut"]
    assert "chaoskit/guarantees/network/paths.py" in settings["only_mutate"]
    assert settings["pytest_add_cli_args_test_selection"] == ["tests/unit/guarantees/network"]
    assert not has_mutants(tmp_path, "network")
    for source in settings["only_mutate"]:
        mutated = tmp_path / "mutants" / source
        mutated.parent.mkdir(parents=True, exist_ok=True)
        mutated.write_text("")
        os.utime(mutated, ns=(1 << 62, 1 << 62))
    assert has_mutants(tmp_path, "network")
    changed = tmp_path / "chaoskit/guarantees/network/paths.py"
    changed.write_text("x = 1\n")
    os.utime(changed, ns=(1 << 62, 1 << 62))  # no newer: mutmut makes its mutants anew
    assert not has_mutants(tmp_path, "network")
    copy_tree(tmp_path, "network")
    assert changed.read_bytes() == (ROOT / "chaoskit/guarantees/network/paths.py").read_bytes()


def test_the_tests_modules_are_imported_again_for_each_mutant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what they make of the code when they are imported would come from no mutant."""
    monkeypatch.chdir(ROOT)
    copy_tree(tmp_path, "network")
    space: dict[str, Any] = {}
    exec((tmp_path / "conftest.py").read_text(), space)
    monkeypatch.setitem(sys.modules, "tests.made_up", ModuleType("tests.made_up"))
    kept = dict(sys.modules)
    space["pytest_configure"]()
    try:
        assert "tests.made_up" not in sys.modules
        assert "chaoskit.guarantees" in sys.modules
    finally:
        sys.modules.update(kept)


def test_every_module_of_the_guarantees_is_in_one_piece() -> None:
    code = ROOT / "chaoskit" / "guarantees"
    folders = {path.name for path in code.iterdir() if path.is_dir() and path.name[0] != "_"}
    groups = {piece.partition(" ")[0].rstrip(":") for piece in Mutants().pieces()}
    assert groups == {*folders, "core"}


def test_repeats_of_some_scenarios_are_pieces_of_their_own() -> None:
    assert Repeats(rounds=1, select="row").pieces() == ["round 1 of -m 'row'"]
    some = Repeats(rounds=2, select="row", scenarios=("scenarios/a", "scenarios/b.py"))
    assert some.pieces() == [
        "round 1 of -m 'row' in scenarios/a",
        "round 1 of -m 'row' in scenarios/b.py",
        "round 2 of -m 'row' in scenarios/a",
        "round 2 of -m 'row' in scenarios/b.py",
    ]


@pytest.mark.parametrize(
    "number, runs",
    [
        (1, ["new"]),
        (2, ["new", "once"]),
        (3, ["new", "once", "daily"]),
        (7, ["new", "once", "daily"]),
    ],
)
def test_a_round_runs_what_has_too_few_runs(number: int, runs: list[str]) -> None:
    kept = ["once", *["thrice"] * 3, *["daily"] * 2, "gone"]
    assert too_few(["new", "once", "thrice", "daily"], {"daily"}, kept, number) == runs


def test_what_every_test_runs_is_to_have_a_run_for_each_round() -> None:
    assert too_few(["daily", "thrice"], {"daily"}, ["daily", "thrice"] * 9, 10) == ["daily"]


def test_scenarios_that_cannot_be_collected_are_not_a_round_that_is_done(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name")
    with pytest.raises(SystemExit, match="cannot be collected"):
        Repeats(scenarios=(str(tmp_path),)).run(
            f"round 1 of -m 'row and not soak' in {tmp_path}", tmp_path
        )


@pytest.mark.parametrize("stage", ["repeats", "mutants"])
def test_the_list_says_what_is_left_without_doing_any(stage: str, tmp_path: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--list", "--only", stage],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.startswith(f"{stage}: ")
    assert "pieces done" in listed.stdout


def test_a_stage_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--only", "prayers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "no stage is called prayers; there are repeats, " in said.stderr
