"""The layers and fences of pyproject.toml hold, and would be seen broken."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--config", folder / "pyproject.toml", "--no-cache", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_contract_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


PLANTED = {
    "chaoskit/history/planted.py": ("from chaoskit import cluster", "Imports point down"),
    "chaoskit/guarantees/planted.py": ("import socket", "Guarantees see the history"),
    "chaoskit/guarantees/pods/planted.py": (
        "from chaoskit.guarantees import rollouts",
        "Families of guarantees stand apart",
    ),
    "chaoskit/report/planted.py": ("import kubernetes", "kubernetes: only in"),
    "chaoskit/workloads/planted.py": ("import tenacity", "tenacity: only in"),
    "chaoskit/faults/planted.py": ("from docker.errors import APIError", "docker: only in"),
    "chaoskit/cli/planted.py": ("import testcontainers", "testcontainers: only in"),
    "chaoskit/load/planted.py": ("import gevent", "locust, gevent, geventhttpclient: only"),
    "chaoskit/cluster/planted.py": ("import pytest", "pytest: only in"),
    "chaoskit/run/planted.py": ("import sqlite3", "sqlite3: only in store"),
    "chaoskit/cli/planted_too.py": ("import ruptures", "ruptures: only in trend"),
}


def test_an_import_planted_against_each_contract_is_seen(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "chaoskit",
        tmp_path / "chaoskit",
        ignore=lambda folder, names: [n for n in names if n in {"__pycache__", "images"}],
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, (line, _) in PLANTED.items():
        (tmp_path / module).write_text(f"{line}\n")

    done = lint_imports(tmp_path)

    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if " BROKEN" in row]
    assert len(broken) == len(PLANTED)
    for contract in (contract for _, contract in PLANTED.values()):
        assert any(row.startswith(contract) for row in broken), contract
    planted = set(PLANTED) - {"chaoskit/history/planted.py"}
    for module in planted:
        assert module.removesuffix(".py").replace("/", ".") in done.stdout


def test_a_module_without_a_layer_is_seen(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "chaoskit").mkdir()
    for name in ("__init__", "nowhere", "cli", "trend", "store", "report", "faults", "workloads",
                 "load", "cluster", "kube", "guarantees", "history", "waiting", "errors", "clock",
                 "options", "priority"):  # fmt: skip
        (tmp_path / "chaoskit" / f"{name}.py").write_text("")
    done = lint_imports(tmp_path, "--contract", "layers")
    assert "nowhere" in done.stdout
    assert any("Imports point down BROKEN" in row for row in done.stdout.splitlines())


def test_gevent_stays_out_of_the_process_that_uses_the_clients() -> None:
    """Its import patches sockets and threads under the clients of Kubernetes and the engine."""
    code = (
        "import pkgutil, importlib, sys, chaoskit\n"
        "for found in pkgutil.walk_packages(chaoskit.__path__, 'chaoskit.'):\n"
        "    name = found.name\n"
        "    if not name.startswith('chaoskit.load.child.') and '__main__' not in name:\n"
        "        importlib.import_module(name)\n"
        "print(sorted({'gevent', 'locust', 'geventhttpclient'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
