"""The page that shows two runs side by side, scenario by scenario, with both timelines."""

from pathlib import Path

from chaoskit import __version__
from chaoskit.report.comparison import CHANGES, ComparedScenario, Comparison
from chaoskit.report.html import Section, environment, section_of
from chaoskit.report.stored import StoredScenario

FILE_NAME = "compare.html"


def write_comparison(compared: Comparison, into: Path) -> Path:
    """Write `compare.html` into an existing folder and return it; overwrites one of before."""
    page = environment().get_template("compare.html.j2")
    rows = [
        (scenario, _drawn(number, scenario))
        for number, scenario in enumerate(compared.scenarios, 1)
    ]
    text = page.render(compared=compared, changes=CHANGES, rows=rows, version=__version__)
    path = into / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _drawn(number: int, scenario: ComparedScenario) -> list[tuple[str, Section]]:
    """What of the two can be drawn, each with the name of its run."""
    both: list[tuple[str, StoredScenario | None]] = [
        ("before", scenario.before),
        ("after", scenario.after),
    ]
    return [
        (which, section_of(f"{number}-{which}", one, 1))
        for which, one in both
        if one is not None and one.folder is not None
    ]
