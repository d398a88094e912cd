"""What pytest-html shows of a scenario, where that plugin is there: verdicts and links."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from chaoskit.run import Run


def add_extras(config: pytest.Config, report: pytest.TestReport, run: Run) -> None:
    """Add the verdicts, the seed, and links to the session's report and to the record.

    Does nothing where pytest-html is absent or writes no report.
    """
    path = getattr(config.option, "htmlpath", None)
    if not path or not config.pluginmanager.hasplugin("html"):
        return
    from pytest_html import extras

    # Relative, so that the links hold wherever both folders are copied to together.
    beside = Path(path).resolve().parent
    record = os.path.relpath(run.record.path, beside)
    session = os.path.relpath(run.record.path.parent / "report.html", beside)
    added: list[Any] = [
        extras.url(session, name="chaoskit report"),
        extras.url(record, name="record"),
        extras.html(_verdicts(run)),
    ]
    report.extras = [*getattr(report, "extras", []), *added]  # type: ignore[attr-defined]


def _verdicts(run: Run) -> str:
    """Everything escaped: titles and summaries hold what clusters said."""
    judged = [] if run.judgement is None else run.judgement.verdicts
    rows = "".join(
        f"<li><strong>{escape(one.outcome.value)}</strong> {escape(one.title)}:"
        f" {escape(one.summary)}</li>"
        for one in judged
    )
    return f"<p>chaoskit seed {run.setup.seed}</p><ul>{rows or '<li>nothing was judged</li>'}</ul>"
