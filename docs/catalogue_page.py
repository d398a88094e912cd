"""The pages that are made from the scenarios' and the faults' own texts."""

import ast
import inspect
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import chaoskit.faults
import chaoskit.guarantees
from benchmarks.scenario_runs import ScenarioRun, kept
from chaoskit.cluster.profiles import FAST
from chaoskit.faults.catalogue import fault_types, fields_of

_ROOT = Path(__file__).parents[1]
SCENARIOS = _ROOT / "scenarios"
_TWINS = _ROOT / "tests" / "cluster"
#: The verbs of workloads, as scenarios call them: what an operator does.
_STEPS = frozenset(
    {
        "apply", "delete", "edit", "evict", "pause", "restart", "resume", "scale", "set_env",
        "set_image", "set_label", "set_selector", "set_update_strategy", "undo",
    }
)  # fmt: skip


def catalogue() -> str:
    """Every row: what is done and must hold, and which scenarios show it, by what."""
    texts: dict[str, Any] = tomllib.loads((SCENARIOS / "catalogue.toml").read_text())
    shown, twins = _scenarios(), planted_twins()
    lines = [
        "# The scenario catalogue",
        "",
        f"{sum(row in shown for row in texts['rows'])} of {len(texts['rows'])} rows have a "
        "scenario. `alone`: needs the cluster for itself; `long`: has a full-length form. `Must "
        "fail`: what is planted for that row in tests/cluster, and must be found VIOLATED.",
    ]
    for family, about in texts["families"].items():
        lines += ["", f"## {about['letter']}: {about['title']}"]
        rows = {row: said for row, said in texts["rows"].items() if said["family"] == family}
        for row, said in rows.items():
            marks = [mark for mark in ("alone", "long") if said[mark]]
            lines += ["", f"### {row}{' (' + ', '.join(marks) + ')' if marks else ''}", ""]
            lines += [f"- Done: {said['done']}", f"- Must hold: {said['holds']}"]
            lines += shown.get(row, ["- No scenario yet."])
            lines += [f"- Must fail: `{name}`: {text}" for name, text in twins.get(row, {}).items()]
    return "\n".join(lines) + "\n"


def faults() -> str:
    """Every fault by family: its docstring and its parameters."""
    families: dict[str, list[str]] = defaultdict(list)
    for name, kind in sorted(fault_types().items()):
        parameters = ", ".join(f"`{field.name}`" for field in fields_of(kind))
        text = inspect.cleandoc(kind.__doc__ or "")
        families[kind.__module__.split(".")[-2]] += [
            "", f"### {name}", "", f"`chaoskit.faults.{kind.__name__}`({parameters})", "",
            "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")),
        ]  # fmt: skip
    lines = ["# The faults", "", f"{len(fault_types())} faults, by where they act."]
    for family, parts in sorted(families.items()):
        lines += ["", f"## {family.replace('_', ' ')}", *parts]
    return "\n".join(lines) + "\n"


def planted_twins() -> dict[str, dict[str, str]]:
    """For each row the tests that plant a defect in it, and what they plant."""
    twins: dict[str, dict[str, str]] = defaultdict(dict)
    for file in sorted(_TWINS.glob("**/test_*.py")):
        for function in _tests(file):
            for row in rows_of(function):
                name = f"{file.relative_to(_TWINS)}::{function.name}"
                twins[row][name] = _first_line(function)
    return twins


def _scenarios() -> dict[str, list[str]]:
    """For each row the lines about its scenarios."""
    lines: dict[str, list[str]] = defaultdict(list)
    last_runs = _last_runs()
    for file in sorted(SCENARIOS.glob("*/test_*.py")):
        for function in _tests(file):
            where = f"{file.parent.name}/{file.name}"
            figures = last_runs.get(f"scenarios/{where}::{function.name}")
            for row in rows_of(function):
                lines[row] += _about(function, where)
                lines[row] += [f"  - runs: {figures}"] if figures else []
    return lines


def _tests(file: Path) -> list[ast.FunctionDef]:
    nodes = ast.parse(file.read_text()).body
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return [it for it in functions if it.name.startswith("test_")]


def rows_of(function: ast.FunctionDef) -> list[str]:
    """The rows that a scenario or a twin is marked with."""
    return [
        str(argument.value)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.row"
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    ]


def _about(function: ast.FunctionDef, file: str) -> list[str]:
    called = [ast.unparse(each.func) for each in ast.walk(function) if isinstance(each, ast.Call)]
    names = {name.rpartition(".")[2] for name in called}
    lines = [f"- `{file}::{function.name}`: {_first_line(function)}"]
    faults = sorted(names & set(chaoskit.faults.__all__))
    for what, found in (
        ("faults", faults),
        ("steps", sorted(names & _STEPS)),
        ("guarantees", sorted(names & set(chaoskit.guarantees.__all__))),
    ):
        if found:
            lines.append(f"  - {what}: {', '.join(found)}")
    return lines


def _first_line(function: ast.FunctionDef) -> str:
    return (ast.get_docstring(function) or function.name).splitlines()[0]


def _last_runs() -> dict[str, str]:
    """For each scenario that was run: how often it held, and the figures of its last runs."""
    of_scenario: dict[str, list[ScenarioRun]] = defaultdict(list)
    for run in kept():
        if run.profile == FAST.name:
            of_scenario[run.nodeid.partition("[")[0]].append(run)
    return {nodeid: _figures(runs) for nodeid, runs in of_scenario.items()}


def _figures(runs: list[ScenarioRun]) -> str:
    last = runs[-1]
    held = sum(run.outcome == "HELD" for run in runs)
    said = f"{held} of {len(runs)} runs HELD; last {last.outcome} in {last.wall_s:.0f} s"
    return f"{said}, {last.not_ok} of {last.requests} requests not ok"
