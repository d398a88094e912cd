"""What tests need that start clusters of their own; the others share the plugin's `cluster`."""

import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaoskit import cli
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import labels, leftovers
from chaoskit.kube.client import Kube
from chaoskit.run import Equipment, Run, RunSetup
from chaoskit.run.session import ChaosSession
from chaoskit.run.session_cluster import OTHERS_DONE_WITHIN_S
from chaoskit.run.sharing import Sharing
from chaoskit.workloads.namespace import Namespace
from tests.cluster.faults.stage import Stage
from tests.cluster.planting import Planting
from tests.cluster.rollouts import Told


@pytest.fixture(autouse=True)
def one_cluster_more_at_a_time(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Tests with clusters of their own take turns, whatever the number of workers.

    Beside the session's clusters the kernel's inotify instances are enough for one more, see
    `chaoskit.cluster.launch.inotify`. Each has state of its own: whoever starts a cluster heals
    the faults that it finds there of dead processes, such as those that other tests kill.
    """
    if "cluster" in request.fixturenames:
        yield
        return
    request.getfixturevalue("state")
    turns = Sharing(tmp_path_factory.getbasetemp().parent / "one-cluster-more", print)
    with turns.alone(timeout_s=OTHERS_DONE_WITHIN_S):
        yield


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State of its own for each test, so that none finds another one's."""
    monkeypatch.setenv("CHAOSKIT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def provider() -> Iterator[K3sProvider]:
    made = K3sProvider()
    yield made
    made.close()


@pytest.fixture
def name(provider: K3sProvider, state: Path) -> Iterator[str]:
    """A name for a cluster, of which nothing is left after the test, whatever happened."""
    chosen = labels.random_name()
    yield chosen
    leftovers.remove(provider.client, chosen)


@pytest.fixture
def planting(
    chaos_session: ChaosSession,
    cluster: K3sCluster,
    namespace: Namespace,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Planting]:
    """A run beside the session's scenarios: what it violates is no finding of the session."""
    setup = RunSetup(
        folder=tmp_path / "record",
        run_id="planted",
        scenario=request.node.nodeid,
        title=request.node.name,
        description="",
        rows=(),
        seed=chaos_session.options.seed,
        namespace=namespace.name,
        profile=cluster.spec.profile,
        command="",
    )
    equipment = Equipment(
        chaos_session.driver(), control=chaos_session.control_target(), guard=chaos_session.guard
    )
    run = Run.start(setup, cluster, equipment)
    doc = inspect.getdoc(request.node.function) or request.node.name
    yield Planting(
        run=run,
        cluster=cluster,
        namespace=namespace,
        defect=doc.splitlines()[0].rstrip("."),
        rows=tuple(row for marker in request.node.iter_markers("row") for row in marker.args),
    )
    run.close()


@pytest.fixture
def kube(cluster: K3sCluster) -> Iterator[Kube]:
    """A client of the shared cluster, of the test's own."""
    client = Kube(cluster.kubeconfig)
    yield client
    client.close()


@pytest.fixture
def stage(cluster: K3sCluster, namespace: Namespace) -> Stage:
    """Where faults are tried."""
    return Stage(cluster, namespace)


@pytest.fixture
def rollout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Runs `chaoskit rollout`, with its reports and its store in a folder of the test's own."""

    def run(*arguments: str) -> Told:
        reports = tmp_path / "reports"
        shutil.rmtree(reports, ignore_errors=True)
        kept = str(tmp_path / "runs.sqlite")
        status = cli.run(["rollout", *arguments, "--report-dir", str(reports), "--store", kept])
        captured = capfd.readouterr()
        return Told(status, captured.out + captured.err, reports)

    return run
