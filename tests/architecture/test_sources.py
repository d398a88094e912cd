"""What holds for every file of the project: sizes, places, and no word about one machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files

MODULE_LINES = 400
FUNCTION_LINES = 50
# Waiting is done by chaoskit.waiting, and by who is not allowed to import it.
MAY_SLEEP: dict[str, str] = {
    "chaoskit/load/child": "gevent's own sleep keeps the schedule",
}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in files(".py", ".go")
        if (count := len(path.read_text().splitlines())) > MODULE_LINES
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{one.lineno} {one.name}": length
        for path in files(".py")
        for one in functions(ast.parse(path.read_text()))
        if (length := (one.end_lineno or one.lineno) - one.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_nobody_sleeps_instead_of_waiting() -> None:
    """A bare sleep has neither a condition nor a deadline."""
    sleepers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files(".py")
        if not any(str(path.relative_to(ROOT)).startswith(place) for place in MAY_SLEEP)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]
    assert sleepers == []


@pytest.mark.parametrize("word", ["util", "utils", "helper", "helpers", "manager", "misc"])
def test_no_module_is_named_after_nothing(word: str) -> None:
    named = [p for p in files(".py", ".go") if word in re.split(r"[_.-]", p.name)]
    assert named == []


def test_no_file_knows_where_this_machine_keeps_the_project() -> None:
    here = re.compile(rf"(?<![\w.}}/-]){re.escape(str(ROOT))}(?![\w-])")
    knowing = [p for p in files() if here.search(p.read_text(errors="replace"))]
    assert knowing == []


def test_the_lock_file_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[A-Za-z0-9][\w.-]*==", text, re.MULTILINE)
    assert len(pinned) > 50
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def test_every_waiting_function_has_a_deadline() -> None:
    """`wait_<condition>` takes `timeout_s`, or its class holds the deadline for all its waits."""
    without = [
        f"{path.relative_to(ROOT)}:{one.lineno} {one.name}"
        for path in files(".py")
        if path.is_relative_to(ROOT / "chaoskit")
        for statement in ast.parse(path.read_text()).body
        if not re.search("timeout_s|deadline", ast.unparse(statement))
        for one in functions(statement)
        if one.name.startswith("wait_") and one.name != "wait_time"  # Locust's own name
    ]
    assert without == []


def test_go_sources_name_no_machine_either() -> None:
    homes = re.compile(r"/home/\w+/|/Users/\w+/")
    assert [p for p in files(".go", ".py", ".md", ".sh") if _is_home(p, homes)] == []


def _is_home(path: Path, homes: re.Pattern[str]) -> bool:
    return path != Path(__file__) and homes.search(path.read_text(errors="replace")) is not None
