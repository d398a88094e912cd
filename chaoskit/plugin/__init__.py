"""The pytest plugin: options, markers, fixtures, and what a verdict means to pytest.

Nothing here touches a container engine before a test asks for the `cluster` or `chaos` fixture,
and nothing heavy is imported before that: an unrelated pytest run pays for this module alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from chaoskit.plugin.asked import (
    SWITCHES,
    TEXT_OPTIONS,
    ini_name,
    is_worker,
    options,
    place_of_worker,
    tell_worker,
    worker_count,
)
from chaoskit.plugin.ending import TOLD_TO_END, end_in_order_on_sigterm
from chaoskit.plugin.html_extras import add_extras
from chaoskit.plugin.ordering import for_workers
from chaoskit.plugin.outcomes import Collector, concluded, rows_of, told
from chaoskit.plugin.session import book_of, sayer, shared_run

if TYPE_CHECKING:
    from chaoskit.cluster.k3s_cluster import K3sCluster
    from chaoskit.cluster.registry import Registry
    from chaoskit.run import Run
    from chaoskit.run.session import ChaosSession
    from chaoskit.workloads.namespace import Namespace

_MARKERS = (
    "row(id, …): rows of the scenario catalogue that this scenario shows",
    "demo: belongs to `make demo`",
    "everyday: of a row, but `make test` runs it too, and not `make test-all` alone",
    "soak: a long form, left out of `make test`",
    "alone: needs a cluster for itself; workers that have but one then wait for one another",
    "heavy: takes most of the machine, so all other workers' scenarios wait; alone besides",
    'nodes("1+3"): needs servers+agents of its own number: a cluster for this scenario alone',
)

_session_key: pytest.StashKey[ChaosSession] = pytest.StashKey()
_run_key: pytest.StashKey[Run] = pytest.StashKey()
_reports_key: pytest.StashKey[dict[str, pytest.TestReport]] = pytest.StashKey()
_waited_key: pytest.StashKey[float] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini twins."""
    group = parser.getgroup("chaoskit", "chaoskit: failure injection on a real Kubernetes cluster")
    for name, (default, text) in TEXT_OPTIONS.items():
        group.addoption(f"--chaos-{name}", metavar=name.upper(), help=f"{text} [{default}]")
        parser.addini(ini_name(name), text, default=default)
    for name, text in SWITCHES.items():
        group.addoption(f"--chaos-{name}", action="store_true", default=None, help=text)
        parser.addini(ini_name(name), text, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(Collector(config), "chaoskit-collector")


def pytest_report_collectionfinish(
    config: pytest.Config, items: Sequence[pytest.Item]
) -> list[str]:
    """One line that says what the chaos tests of this run will use; checks the options."""
    if not any(_is_chaotic(item) for item in items):
        return []
    chosen = options(config)
    return [
        f"chaoskit: image {chosen.image}, nodes {chosen.nodes}, profile {chosen.profile}, "
        f"seed {chosen.seed}, reports in {chosen.report_dir}"
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which session it belongs to."""
    tell_worker(node)
    end_in_order_on_sigterm(node.config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios that need a cluster of another size come last: it takes the session's place.

    Where workers share the cluster, those that need it for themselves come last, too.
    """
    items.sort(key=lambda item: _nodes_of(item) is not None)
    if is_worker(config):
        alone = [it for it in items if _is_for_itself(it)]
        shared = [it for it in items if not _is_for_itself(it)]
        items[:] = for_workers(
            [it for it in shared if _is_chaotic(it)],
            [it for it in shared if not _is_chaotic(it)],
            alone,
            worker_count(config),
        )


@pytest.fixture(scope="session")
def chaos_session(request: pytest.FixtureRequest) -> Iterator[ChaosSession]:
    """What the scenarios of this run share."""
    from chaoskit.cluster.launch.interrupts import sigterm_raises
    from chaoskit.run.session import ChaosSession

    config = request.config
    session = ChaosSession(
        book_of(config),
        sayer(config),
        shared=shared_run(config),
        place=place_of_worker(config),
    )
    config.stash[_session_key] = session
    with sigterm_raises():
        try:
            yield session
        finally:
            session.stop_cluster()


@pytest.fixture
def cluster(chaos_session: ChaosSession, request: pytest.FixtureRequest) -> Iterator[K3sCluster]:
    """A running multi-node cluster: the session's, or a new one where a fault was not healed."""
    node, before_s = request.node, chaos_session.waited_s
    heavy = node.get_closest_marker("heavy") is not None
    with chaos_session.using(alone=_is_alone(node), nodes=_nodes_of(node), heavy=heavy) as made:
        node.stash[_waited_key] = chaos_session.waited_s - before_s
        yield made


@pytest.fixture
def registry(cluster: K3sCluster, chaos_session: ChaosSession) -> Registry:
    """A private registry beside the cluster, started when first asked for."""
    return chaos_session.registry()


@pytest.fixture
def namespace(cluster: K3sCluster, chaos_session: ChaosSession) -> Iterator[Namespace]:
    """A new namespace, deleted in the background afterwards."""
    from chaoskit.workloads.namespace import Namespace

    made = Namespace.create(cluster.kube, "chaos")
    made.wait_usable(timeout_s=30.0)
    yield made
    with chaos_session.book.noting_trouble():
        made.delete()


@pytest.fixture
def chaos(
    chaos_session: ChaosSession, namespace: Namespace, request: pytest.FixtureRequest
) -> Iterator[Run]:
    """The run of this scenario: its load, faults, steps, and the check that ends it."""
    item = request.node
    title, description = told(item)
    run = chaos_session.begin(
        nodeid=item.nodeid,
        title=title,
        description=description,
        rows=rows_of(item),
        namespace=namespace.name,
    )
    item.stash[_run_key] = run
    yield run
    run.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A scenario that ends without a check has shown nothing: that is no pass."""
    run = item.stash.get(_run_key, None)
    if run is None:
        return (yield)
    from chaoskit.run import CapabilityAbsent

    try:
        yield
    except CapabilityAbsent as error:
        if options(item.config).strict:
            raise
        pytest.skip(f"not run: {error}")
    if run.judgement is None:
        pytest.fail(f"{item.nodeid} checked nothing: UNKNOWN", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the verdicts, keep the nodes' logs of a failure, and note how the scenario ended."""
    report = yield
    if call.excinfo is not None and _is_told_to_end(call.excinfo.value):
        item.session.shouldstop = TOLD_TO_END  # pytest itself goes on after it
    reports = item.stash.setdefault(_reports_key, {})
    reports[report.when] = report
    session = item.config.stash.get(_session_key, None)
    if session is None or "chaos" not in getattr(item, "fixturenames", ()):
        return report
    run = item.stash.get(_run_key, None)
    if report.when == "call" and run is not None:
        report.user_properties.append(("chaos_seed", run.setup.seed))
        report.user_properties.append(("chaos_record", str(run.record.path)))
        if run.judgement is not None:
            report.user_properties.append(("chaos_outcome", str(run.judgement.outcome)))
        add_extras(item.config, report, run)
    if report.failed and report.when != "teardown":
        session.collect_logs(item.nodeid)
    if report.when == "teardown":
        report.chaoskit = concluded(  # type: ignore[attr-defined]
            item, run, reports, session, waited_s=item.stash.get(_waited_key, 0.0)
        )
    return report


def _is_told_to_end(error: BaseException) -> bool:
    if not isinstance(error, SystemExit):
        return False
    from chaoskit.cluster.launch.interrupts import Terminated

    return isinstance(error, Terminated)


def _is_alone(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("alone", "heavy"))


def _is_for_itself(item: pytest.Item) -> bool:
    return _is_alone(item) or _nodes_of(item) is not None


def _nodes_of(item: pytest.Item) -> str | None:
    """The size of the cluster that a scenario asks for by its marker, or None.

    Raises pytest's `UsageError` for a marker without a text.
    """
    marker = item.get_closest_marker("nodes")
    if marker is None:
        return None
    if len(marker.args) != 1 or not isinstance(marker.args[0], str):
        raise pytest.UsageError(f'{item.nodeid}: the marker nodes takes one text such as "1+3"')
    return str(marker.args[0])


def _is_chaotic(item: pytest.Item) -> bool:
    return not {"chaos", "cluster"}.isdisjoint(getattr(item, "fixturenames", ()))
