"""The catalogue's rows and the scenarios that show them belong together."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from docs.catalogue_page import planted_twins, rows_of

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
CATALOGUE: dict[str, Any] = tomllib.loads((SCENARIOS / "catalogue.toml").read_text())
#: A scenario with its docstring; longer ones hide what they do.
LONGEST = 40
#: A docstring's parts.
PARTS = ("Goal:", "Method:", "Expectation:")


def _functions() -> list[tuple[Path, ast.FunctionDef]]:
    """Every scenario: each test below scenarios/."""
    return [
        (file.relative_to(SCENARIOS), node)
        for file in sorted(SCENARIOS.glob("*/test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


FUNCTIONS = _functions()
IDS = [f"{file}::{function.name}" for file, function in FUNCTIONS]


def test_rows_stand_in_their_families() -> None:
    letters = {name: family["letter"] for name, family in CATALOGUE["families"].items()}
    for row, texts in CATALOGUE["rows"].items():
        assert row.startswith(letters[texts["family"]]), row
        assert texts["done"], row
        assert texts["holds"], row


@pytest.mark.parametrize("family", CATALOGUE["families"])
def test_a_family_that_is_done_shows_each_of_its_rows(family: str) -> None:
    if not CATALOGUE["families"][family]["done"]:
        return
    shown = {row for _, function in FUNCTIONS for row in rows_of(function)}
    wanted = {row for row, texts in CATALOGUE["rows"].items() if texts["family"] == family}
    assert wanted <= shown, f"no scenario shows {sorted(wanted - shown)}"


def test_each_row_that_is_shown_has_a_defect_planted_too() -> None:
    shown = {row for _, function in FUNCTIONS for row in rows_of(function)}
    assert shown <= (planted := planted_twins().keys()), f"none for {sorted(shown - planted)}"


@pytest.mark.parametrize("file, function", FUNCTIONS, ids=IDS)
def test_a_scenario_reads_aloud(file: Path, function: ast.FunctionDef) -> None:
    rows = rows_of(function)
    assert rows, "carries no row of the catalogue"
    assert set(rows) <= CATALOGUE["rows"].keys(), rows
    families = {CATALOGUE["rows"][row]["family"] for row in rows}
    assert file.parts[0] in families, f"a row of {families} in folder {file.parts[0]}"
    alone = any(CATALOGUE["rows"][row]["alone"] for row in rows)
    marked = any(ast.unparse(each) == "pytest.mark.alone" for each in function.decorator_list)
    assert marked or not alone, "its row needs the cluster for itself: mark it alone"
    docstring = ast.get_docstring(function) or ""
    assert not (missing := [part for part in PARTS if part not in docstring]), missing
    assert (function.end_lineno or 0) - function.lineno + 1 <= LONGEST
