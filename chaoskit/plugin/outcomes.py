"""What became of a scenario: told by the process that ran it, gathered by the one that reports."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chaoskit.plugin import asked
from chaoskit.plugin.session import book_of, has_book, sayer
from chaoskit.store.adding import Kept, keep

if TYPE_CHECKING:
    from chaoskit.history.session import ScenarioOutcome
    from chaoskit.run import Run
    from chaoskit.run.session import ChaosSession

_REASON_LENGTH = 400


class Collector:
    """Gathers what became of scenarios, also those that a worker ran, and reports it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._written: list[Path] = []
        self._kept: Kept | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a scenario that has ended."""
        concluded = getattr(report, "chaoskit", None)
        if concluded is None or asked.is_worker(self._config):
            return
        from msgspec import convert

        from chaoskit.history.session import SessionScenario

        book = book_of(self._config)
        book.facts = concluded["facts"] or book.facts
        book.troubles += [each for each in concluded["troubles"] if each not in book.troubles]
        book.conclude(convert(concluded["scenario"], SessionScenario))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports, whatever ended the session; workers have been ended before."""
        if asked.is_worker(self._config):
            return
        folder = asked.session_folder(self._config)
        if folder is not None and folder.exists():
            from chaoskit.run.session_cluster import end_shared_clusters

            end_shared_clusters(book_of(self._config), sayer(self._config))
        if not has_book(self._config):
            return
        book = book_of(self._config)
        self._written = book.write_reports()
        self._kept = keep(book)
        if book.troubles and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line a scenario, and where the reports are."""
        if not has_book(self._config) or not book_of(self._config).scenarios:
            return
        book = book_of(self._config)
        terminalreporter.section("chaoskit")
        for scenario in book.scenarios:
            rows = ",".join(scenario.rows) or "-"
            line = f"{scenario.outcome:<8} {rows:<6} {scenario.wall_s:6.1f} s  {scenario.title}"
            terminalreporter.write_line(line)
            for summary in book.summaries(scenario):
                terminalreporter.write_line(f"         {summary}")
        for path in self._written:
            terminalreporter.write_line(f"report: {path}")
        if self._kept is not None:
            terminalreporter.write_line(self._kept.said, yellow=not self._kept.is_kept)
        for trouble in book.troubles:
            terminalreporter.write_line(trouble, red=True)


def concluded(
    item: pytest.Item,
    run: Run | None,
    reports: dict[str, pytest.TestReport],
    session: ChaosSession,
    *,
    waited_s: float,
) -> dict[str, Any]:
    """What became of a scenario, in plain values: they travel from worker to controller.

    `waited_s` of its seconds it only waited for other processes to be done with the cluster.
    """
    from msgspec import to_builtins

    from chaoskit.history.session import SessionScenario, slug_of

    title, description = told(item)
    outcome, reason = _outcome(run, reports)
    scenario = SessionScenario(
        slug=slug_of(item.nodeid),
        nodeid=item.nodeid,
        outcome=outcome,
        rows=rows_of(item),
        reason=reason,
        wall_s=sum(each.duration for each in reports.values()) - waited_s,
        title=title,
        doc=description,
    )
    return {
        "scenario": to_builtins(scenario),
        "facts": session.book.facts,
        "troubles": list(session.book.troubles),
    }


def _outcome(run: Run | None, reports: dict[str, pytest.TestReport]) -> tuple[ScenarioOutcome, str]:
    """How the whole test ended, worse than its verdicts where the test itself failed."""
    from chaoskit.guarantees.verdict import Outcome

    if any(report.skipped for report in reports.values()):
        texts = [report.longrepr for report in reports.values() if report.skipped]
        return "NOT_RUN", str(texts[0][2] if isinstance(texts[0], tuple) else texts[0])
    judged = None if run is None else run.judgement
    if judged is not None and judged.outcome is Outcome.VIOLATED:
        return "VIOLATED", ""
    failed = [report for report in reports.values() if report.failed]
    if judged is not None and judged.outcome is Outcome.UNKNOWN:
        return "UNKNOWN", ""
    if failed:
        return "UNKNOWN", f"{failed[0].when}: {_last_line(failed[0])}"
    return "HELD", ""


def _last_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return str(text).strip()[:_REASON_LENGTH]


def told(item: pytest.Item) -> tuple[str, str]:
    """The docstring's first line, and all of it: goal, method and expectation."""
    text = getattr(getattr(item, "function", None), "__doc__", None) or ""
    whole = inspect.cleandoc(text)
    return (whole.splitlines()[0].rstrip(".") if whole else item.name), whole


def rows_of(item: pytest.Item) -> list[str]:
    """The catalogue's rows that a scenario shows."""
    return [row for marker in item.iter_markers("row") for row in marker.args]
