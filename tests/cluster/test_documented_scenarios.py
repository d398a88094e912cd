"""The scenarios of the documentation, word for word, run on the session's cluster.

They run in a pytest of their own, as their readers have it, with the very files of the pages.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from chaoskit.cli import statuses
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.launch.labels import this_process
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.run.session import ChaosSession
from chaoskit.run.shared import SharedCluster, SharedRun
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web
from docs.examples import ROOT, files_of, pages, write_files
from tests.cluster.joined_session import FOLDER

pytestmark = pytest.mark.long

_DOCS = ROOT / "docs"
_UV = Path(sys.executable).parent / "uv"
#: Each scenario that a page shows whole, and how it has to end.
EXPECTED = {
    "test_first.py": "HELD",
    "test_finding.py": "VIOLATED",
    "test_mended.py": "HELD",
    "test_fast_rollout.py": "HELD",
    "test_unselected.py": "HELD",
}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A session that has ended: what it said, and its folder."""

    said: str
    folder: Path

    def scenario(self, file: str) -> dict[str, str]:
        """What became of the scenario in that file."""
        session = json.loads((self.folder / "session.json").read_text())
        (found,) = [one for one in session["scenarios"] if one["nodeid"].startswith(file)]
        return {key: str(value) for key, value in found.items()}

    def record(self, file: str) -> Path:
        """The record of that scenario."""
        return self.folder / self.scenario(file)["slug"]


def python(
    *arguments: str | Path, at: Path = ROOT, packages: Path | None = None, shared: str = ""
) -> subprocess.CompletedProcess[str]:
    """Python with these; `packages`: a folder whose packages count as installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=at,
        env={**environment(packages), FOLDER: shared},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def environment(packages: Path | None) -> dict[str, str]:
    paths = [str(each) for each in (packages, ROOT) if each is not None]
    return {**os.environ, "PYTHONPATH": ":".join(paths), "PYTHONUNBUFFERED": "1"}


def installed(page: str, folder: Path) -> Path:
    """Install the package that a page shows, by its own build; the folder that it is in."""
    source, target = folder / "source", folder / "packages"
    write_files(_DOCS / page, source)
    told = subprocess.run(
        [_UV, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--python", sys.executable, "--target", target, source],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return target


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's folder with the Python files of all pages, and with the finding mended."""
    folder = tmp_path_factory.mktemp("project")
    for page in pages():
        write_files(page, folder)
    finding = (folder / "test_finding.py").read_text()
    assert "SpecimenPod(readiness=False)" in finding
    mended = finding.replace("SpecimenPod(readiness=False)", "SpecimenPod()")
    (folder / "test_mended.py").write_text(mended)
    (folder / "pyproject.toml").unlink()  # of several packages, each installed by itself
    return folder


@pytest.fixture(scope="module")
def run_once(project: Path) -> Callable[[K3sCluster, ChaosSession], Ran]:
    """Runs all scenarios when first asked to, on that cluster."""
    ran: list[Ran] = []

    def run(cluster: K3sCluster, session: ChaosSession) -> Ran:
        if not ran:
            shared = SharedRun(project / "session", this_process(), print)
            control = session.control_target()
            shared.write(SharedCluster(name=cluster.name, control=(control.host, control.port)))
            told = python(
                *("-m", "pytest", "-p", "tests.cluster.joined_session", "--chaos-store", "none"),
                *EXPECTED,
                at=project,
                shared=str(project / "session"),
            )
            said = told.stdout + told.stderr
            folders = list((project / "reports").glob("*"))
            assert len(folders) == 1, said
            ran.append(Ran(said=said, folder=folders[0]))
        return ran[0]

    return run


@pytest.fixture
def ran(
    run_once: Callable[[K3sCluster, ChaosSession], Ran],
    cluster: K3sCluster,
    chaos_session: ChaosSession,
) -> Ran:
    """The session that ran all of them."""
    return run_once(cluster, chaos_session)


@pytest.fixture
def web(cluster: K3sCluster, namespace: Namespace) -> Web:
    """Three pods behind a Service, outside of any run."""
    web = specimen.start_web(cluster.kube, specimen_manifests.web(namespace.name, "web"))
    web.deployment.wait_complete(timeout_s=60)
    web.service.wait_answering(timeout_s=15)
    return web


def test_no_shown_scenario_is_forgotten() -> None:
    shown = {name for page in pages() for name in files_of(page) if name.startswith("test_")}
    assert shown - EXPECTED.keys() == {"test_answers.py"}  # needs no cluster
    assert EXPECTED.keys() - shown == {"test_mended.py"}  # the tutorial says how


@pytest.mark.parametrize("file", EXPECTED)
def test_a_shown_scenario_ends_as_its_page_says(file: str, ran: Ran) -> None:
    assert ran.scenario(file)["outcome"] == EXPECTED[file], ran.said


def test_the_first_finding_is_told_as_the_tutorial_shows_it(ran: Ran) -> None:
    page = (_DOCS / "tutorial" / "first-steps.md").read_text()
    for shown in ("VIOLATED no request lost: ", "HELD     rollout of web keeps its bounds: "):
        assert shown in page
        assert shown in ran.said
    told = python("-m", "chaoskit.cli", "check", ran.record("test_finding.py"))
    assert told.returncode == statuses.EXIT_VIOLATED, told.stderr
    again = ("--into", ran.folder / "again", "--exit-status")
    told = python("-m", "chaoskit.cli", "report", ran.folder, *again)
    assert told.returncode == statuses.EXIT_VIOLATED, told.stderr


def test_a_run_is_judged_again_once_the_package_of_its_guarantee_is_installed(
    ran: Ran, tmp_path: Path
) -> None:
    check = ("-m", "chaoskit.cli", "check", ran.record("test_fast_rollout.py"))
    told = python(*check)
    assert told.returncode == statuses.EXIT_UNKNOWN
    assert "no_answer_slower_than" in told.stdout
    told = python(*check, packages=installed("how-to/write-a-guarantee.md", tmp_path))
    assert told.returncode == 0, told.stdout + told.stderr


def test_an_installed_fault_is_healed_after_a_kill(
    cluster: K3sCluster, web: Web, tmp_path: Path
) -> None:
    """By the guardian, which knows it by its entry point."""
    packages = installed("how-to/write-a-fault.md", tmp_path)
    told = python("-m", "chaoskit.cli", "faults", "service_unselected", packages=packages)
    assert "the Service has no endpoint any more" in told.stdout, told.stderr
    target = f"{web.ref.namespace}/web"
    inject = ("inject", "service_unselected", target, "--for", "60s", "--cluster", cluster.name)
    with subprocess.Popen(
        [sys.executable, "-m", "chaoskit.cli", *inject],
        env=environment(packages),
        stdout=subprocess.PIPE,
        text=True,
    ) as injecting:
        said = _until("in effect; healed in", injecting)
        assert not any(endpoint.ready for endpoint in web.service.endpoints()), said
        injecting.send_signal(signal.SIGKILL)
    web.service.wait_endpoints(3, timeout_s=15)
    assert [one for one in Ledger().read().entries if one.fault == "service_unselected"] == []


def test_the_run_on_a_cluster_that_is_there_holds(
    project: Path, cluster: K3sCluster, web: Web, tmp_path: Path
) -> None:
    (context,) = yaml.safe_load(cluster.kubeconfig.read_text())["contexts"]
    program = f"""
from pathlib import Path
from on_staging import delete_one
into = Path({str(tmp_path / "staging")!r})
kubeconfig = Path({str(cluster.kubeconfig)!r})
print(delete_one(kubeconfig, {context["name"]!r}, {web.ref.namespace!r}, "web", into).outcome)
"""
    told = python("-c", program, at=project)
    assert told.stdout.endswith("HELD\n"), told.stdout + told.stderr
    told = python("-m", "chaoskit.cli", "report", tmp_path / "staging", "--exit-status")
    assert told.returncode == 0, told.stderr


def _until(wanted: str, process: subprocess.Popen[str]) -> Sequence[str]:
    """What it says until it says that; fails when it ends before."""
    said: list[str] = []
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        said.append(line)
        if wanted in line:
            return said
    raise AssertionError("".join(said) or "it said nothing")
