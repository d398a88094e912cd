"""The page as a whole: it renders, alone, for everybody, in both themes, without JavaScript."""

import re
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.conftest import Open

pytestmark = pytest.mark.long

SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_renders_without_complaint_and_asks_for_nothing(
    open_report: Open, recorded_report: Path, scheme: Literal["light", "dark"]
) -> None:
    opened = open_report(recorded_report, scheme=scheme)
    charts = opened.page.locator("svg.chart")
    assert charts.count() == 2
    for number in range(2):
        charts.nth(number).scroll_into_view_if_needed()
        box = charts.nth(number).bounding_box()
        assert box is not None
        assert box["width"] > 900
        assert box["height"] > 400
    opened.page.get_by_role("button", name="Zoom in").first.click()
    assert opened.complaints == []
    assert opened.asked == [recorded_report.as_uri()]


def test_the_theme_follows_the_reader(open_report: Open, report: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page = open_report(report, scheme=scheme).page
        colours[scheme] = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.chart .label')).fill]"
        )
    assert colours["light"] == ["rgb(247, 248, 248)", "rgb(28, 33, 38)"]
    assert colours["dark"] == ["rgb(19, 22, 25)", "rgb(228, 232, 235)"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("script", [True, False])
def test_people_with_assistive_technology_can_use_it(
    open_report: Open,
    report: Path,
    tmp_path: Path,
    scheme: Literal["light", "dark"],
    script: bool,
) -> None:
    """axe-core's rules for WCAG A and AA and its best practices, with everything unfolded.

    Also without the page's own script: the checker is one, so scripts as such must be allowed.
    """
    text = report.read_text(encoding="utf-8")
    path = tmp_path / "report.html"
    path.write_text(text if script else SCRIPT.sub("", text), encoding="utf-8")
    page = open_report(path, scheme=scheme).page
    unfold(page)
    next_moment = page.get_by_role("button", name="Next moment")
    assert bool(next_moment.count()) is script
    if script:
        next_moment.first.click()
    assert barriers(page) == []


def unfold(page: Page) -> None:
    folded = page.locator("details:not([open]) > summary")
    while folded.count():
        folded.first.click()


def barriers(page: Page) -> list[str]:
    """What axe-core has against the page, element by element."""
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_runs_side_by_side_are_a_page_as_good(
    open_report: Open, comparison: Path, scheme: Literal["light", "dark"]
) -> None:
    opened = open_report(comparison, scheme=scheme)
    page = opened.page
    unfold(page)
    assert page.locator("svg.chart").count() == 5
    page.locator("svg.chart").nth(1).scroll_into_view_if_needed()
    page.get_by_role("button", name="Zoom in").last.click()
    assert barriers(page) == []
    assert opened.complaints == []
    assert opened.asked == [comparison.as_uri()]


def test_without_javascript_it_is_all_there(open_report: Open, report: Path) -> None:
    page = open_report(report, javascript=False).page
    for words in (
        "kv-1 had two processes for 23.2 s, allowed were 22.0 s.",
        "Why: the first moment, 42.70 s",
        "pytest scenarios/node -k nic_down --chaos-seed 4711",
        "Failures by class and cause",
        "the cluster lacks the capability netem",
    ):
        assert page.get_by_text(words).first.is_visible(), words
    chart = page.locator("#s1 svg.chart")
    assert chart.is_visible()
    for label in ("agent-1", "kv-1", "new via agent-1"):
        named = chart.locator("text", has_text=re.compile(f"^{label}$"))
        assert named.first.is_visible(), label
    assert page.get_by_role("button").count() == 0, "a button that would do nothing"
    page.locator("#s1-v1 .pin-link").click()
    assert page.url.endswith("#s1-e1")
    assert page.locator("#s1-e1:target").count() == 1


def test_a_small_screen_scrolls_the_timeline_and_not_the_page(
    open_report: Open, report: Path
) -> None:
    page = open_report(report, width=390, height=800).page
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    frame = page.locator("#s1 figure .wide")
    assert frame.evaluate("one => one.scrollWidth > one.clientWidth")


def test_all_of_it_is_printed_whatever_is_zoomed_or_folded(open_report: Open, report: Path) -> None:
    page = open_report(report).page
    page.locator("#s1 > details > summary").click()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".scenario > details:not([open])").count() == 0
