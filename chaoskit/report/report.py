"""What every report is, and all of them at once."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from chaoskit.errors import RecordError, UsageError
from chaoskit.report.html import HtmlReport
from chaoskit.report.json import JsonReport
from chaoskit.report.junit import JunitReport
from chaoskit.report.markdown import MarkdownReport
from chaoskit.report.stored import StoredRun, load_run

#: Installed packages add reports in this group; each entry is a class without arguments.
ENTRY_POINTS = "chaoskit.reports"


class Report(Protocol):
    """Writes a stored run in one form, from its record alone."""

    @property
    def name(self) -> str: ...

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        """Write files into an existing folder and return them; overwrites its own of before."""
        ...


def reports() -> list[Report]:
    """chaoskit's own reports, and those of installed packages."""
    own: list[Report] = [HtmlReport(), JunitReport(), JsonReport(), MarkdownReport()]
    return [*own, *(entry.load()() for entry in entry_points(group=ENTRY_POINTS))]


def write_all(
    run_folder: Path, *, into: Path | None = None, only: Sequence[str] = ()
) -> list[Path]:
    """Write all reports of a run folder (or those named) beside its record, or `into` another.

    Raises `RecordError` when the folder holds no run or a report could not be written (the others
    are), `UsageError` for an unknown report name.
    """
    available = reports()
    unknown = sorted(set(only) - {report.name for report in available})
    if unknown:
        raise UsageError(
            "there is no such report",
            subject=", ".join(unknown),
            next_step=f"choose from {', '.join(report.name for report in available)}",
        )
    run = load_run(run_folder)
    target = run_folder if into is None else into
    written: list[Path] = []
    failed: dict[str, OSError] = {}
    for report in available:
        if not only or report.name in only:
            try:
                target.mkdir(parents=True, exist_ok=True)
                written += report.write(run, target)
            except OSError as error:
                failed[report.name] = error
    if failed:
        raise RecordError(
            f"reports could not be written: {', '.join(failed)}",
            subject=str(target),
            seen="; ".join(str(error) for error in failed.values()),
            next_step=f"free disk space, then: chaoskit report {run_folder}",
        )
    return written
