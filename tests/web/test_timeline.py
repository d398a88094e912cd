"""The timeline under a reader's hands: zoom, jump, hover, keys. The moments stay what they are."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Open

pytestmark = pytest.mark.long

# The synthetic run: a node's network is cut at 20 s and healed at 62 s; two processes of one name
# are seen at 42.7 s.
CUT_S, HEALED_S, EVIDENCE_S = 20.0, 62.0, 42.7
SPAN = re.compile(r"([\d.:]+)(?: s)? to ([\d.:]+)(?: s)?")


@pytest.fixture
def page(open_report: Open, report: Path) -> Page:
    opened = open_report(report).page
    opened.locator("#s1 svg.chart").scroll_into_view_if_needed()
    expect(window_of(opened)).to_have_text(re.compile("^all"))
    return opened


def window_of(page: Page) -> Any:
    return page.locator("#s1 .controls output")


def shown(page: Page) -> tuple[float, float]:
    """From when to when the first timeline shows, as its ticks and places say."""
    return (
        page.evaluate("charts.get(document.querySelector('#s1 svg.chart')).from"),
        page.evaluate("charts.get(document.querySelector('#s1 svg.chart')).to"),
    )


def seconds_of(page: Page, selector: str) -> list[float]:
    """Which seconds the edges of a box are at, worked out from where it is on the screen."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    axis = page.locator("#s1 svg.chart").evaluate(
        """svg => { const m = svg.getScreenCTM();
             const x = (v) => new DOMPoint(v, 0).matrixTransform(m).x;
             const left = Number(svg.dataset.left);
             return [x(left), x(left + Number(svg.dataset.width))]; }"""
    )
    start, end = shown(page)
    scale = (end - start) / (axis[1] - axis[0])
    return [start + (x - axis[0]) * scale for x in (box["x"], box["x"] + box["width"])]


def test_zooming_in_and_out_keeps_every_moment_where_it_is(page: Page) -> None:
    chart = page.locator("#s1 svg.chart")
    before = page.locator("#s1 .plot").inner_html()
    page.get_by_role("button", name="Zoom in").first.click()
    start, end = shown(page)
    assert end - start == pytest.approx(84.1 / 2, abs=1)
    assert start > 0
    edges = seconds_of(page, "#s1 rect.fault")
    page.get_by_role("button", name="Earlier").first.click()
    page.get_by_role("button", name="Zoom out").first.click()
    assert seconds_of(page, "#s1 rect.fault") == pytest.approx([CUT_S, HEALED_S], abs=0.3)
    assert seconds_of(page, "#s1 .shade rect") == pytest.approx([CUT_S, HEALED_S], abs=0.3)
    assert edges[0] < start + 0.1, "what goes on beyond the window reaches its edge"
    chart.dblclick(position={"x": 500, "y": 300})
    expect(window_of(page)).to_have_text(re.compile("^all"))
    assert page.locator("#s1 .plot").inner_html() == before


def test_curves_marks_boxes_and_pins_move_together(page: Page) -> None:
    selectors = ["path.bounds", "rect.outage", "path.latency.p99", "path.points", ".answers"]
    shapes = [f"#s1 {one}" for one in selectors if page.locator(f"#s1 {one}").count()]
    assert len(shapes) >= 4
    before = [seconds_of(page, one) for one in shapes]
    page.get_by_role("button", name="Zoom in").first.click()
    page.get_by_role("button", name="Earlier").first.click()
    assert shown(page)[0] > 1, "it is zoomed"
    for shape, seconds in zip(shapes, before, strict=True):
        assert seconds_of(page, shape) == pytest.approx(seconds, abs=0.3), shape
    for mark, second in ((".mark-injected", CUT_S), (".mark-requested", CUT_S - 0.1)):
        assert sum(seconds_of(page, f"#s1 {mark}")) / 2 == pytest.approx(second, abs=0.3), mark
    assert seconds_of(page, "#s1-e1 rect")[0] == pytest.approx(EVIDENCE_S - 0.1, abs=0.15)


def test_dragging_over_a_stretch_enlarges_it(page: Page) -> None:
    box = page.locator("#s1 rect.fault").bounding_box()
    assert box is not None
    y = box["y"] + 60
    page.mouse.move(box["x"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], y, steps=5)
    assert page.locator("#s1 .brush").is_visible()
    page.mouse.up()
    assert page.locator("#s1 .brush").is_hidden()
    assert shown(page) == pytest.approx((CUT_S, HEALED_S), abs=0.3)


def test_the_wheel_zooms_with_control_and_scrolls_the_page_without(page: Page) -> None:
    box = page.locator("#s1 rect.fault").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.wheel(0, -120)
    expect(window_of(page)).to_have_text(re.compile("^all"))
    page.locator("#s1 svg.chart").scroll_into_view_if_needed()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    expect(window_of(page)).to_have_text(SPAN)


def test_evidence_jumps_to_its_moment(page: Page) -> None:
    page.locator("#s1-v1 .pin-link").click()
    start, end = shown(page)
    assert (start + end) / 2 == pytest.approx(EVIDENCE_S, abs=0.1)
    assert end - start == pytest.approx(12, abs=0.1)
    pin = page.locator("#s1-e1")
    assert "chosen" in str(pin.get_attribute("class"))
    expect(pin).to_be_in_viewport()
    assert page.url.endswith("#s1-e1")


def test_the_first_moment_and_the_events_around_it_jump_too(page: Page) -> None:
    page.locator("#s1-v1 .why").get_by_text("show it").click()
    assert sum(shown(page)) / 2 == pytest.approx(EVIDENCE_S, abs=0.1)
    event = page.locator("#s1-v1 .around li", has_text="heal requested")
    offset = float(event.locator("a").inner_text().replace("−", "-").removesuffix(" s"))  # noqa: RUF001
    event.locator("a").click()
    assert sum(shown(page)) / 2 == pytest.approx(EVIDENCE_S + offset, abs=0.1)
    expect(page.locator("#s1 svg.chart")).to_be_in_viewport()


def test_a_link_to_evidence_opens_the_page_at_its_moment(open_report: Open, report: Path) -> None:
    page = open_report(report, at="#s1-e1").page
    assert sum(shown(page)) / 2 == pytest.approx(EVIDENCE_S, abs=0.1)
    expect(page.locator("#s1-e1")).to_be_in_viewport()


def test_a_link_into_a_folded_scenario_unfolds_it(page: Page) -> None:
    page.locator("#s1 > details > summary h2").click()
    assert not page.locator("#s1-v1").is_visible()
    page.evaluate("location.hash = ''")
    page.locator("section[aria-labelledby=scenarios] a").first.click()
    page.locator("#s1 > details > summary h2").click()
    page.evaluate("follow(document.getElementById('s1-e1'), 0)")
    assert page.locator("#s1-v1").is_visible()


def test_all_is_done_by_keys(page: Page) -> None:
    frame = page.locator("#s1 figure .wide")
    frame.focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    start, end = shown(page)
    assert end - start == pytest.approx(84.1 / 4, abs=0.5)
    page.keyboard.press("ArrowLeft")
    assert shown(page)[0] < start
    page.keyboard.press("ArrowRight")
    assert shown(page)[0] == pytest.approx(start, abs=0.01)
    page.keyboard.press("-")
    page.keyboard.press("0")
    expect(window_of(page)).to_have_text(re.compile("^all"))


def test_keys_go_from_moment_to_moment_and_say_what_it_is(page: Page) -> None:
    page.locator("#s1 figure .wide").focus()
    told = []
    for _ in range(4):
        page.keyboard.press("n")
        told.append(window_of(page).inner_text())
    assert told[0].startswith("19.")
    assert "nic_down requested" in told[0]
    assert "nic_down injected" in " ".join(told)
    assert page.locator("#s1 .chosen").count() == 1
    page.keyboard.press("p")
    assert window_of(page).inner_text() == told[2]
    page.keyboard.press("Escape")
    assert page.locator("#s1 .chosen").count() == 0


def test_every_control_is_reached_by_the_tab_key(page: Page) -> None:
    page.locator("#s1 .controls button").first.focus()
    reached = []
    for _ in range(8):
        reached.append(page.evaluate("document.activeElement.textContent.slice(0, 20)"))
        page.keyboard.press("Tab")
    names = ["−", "+", "‹", "›", "Show all", "Previous moment", "Next moment"]  # noqa: RUF001
    assert reached[:7] == names


def test_pointing_at_something_says_what_it_is_and_when(page: Page) -> None:
    page.locator("#s1 rect.node.unknown").hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("node agent-1 NotReady")
    expect(tip).to_contain_text("36.3 s to 65.2 s")
    label = page.locator("#s1 .hair text")
    assert re.fullmatch(r"\d+\.\d\d s", label.text_content() or "")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_words_that_do_not_fit_appear_when_there_is_room(
    open_report: Open, recorded_report: Path
) -> None:
    page = open_report(recorded_report).page
    page.locator("#s2 svg.chart").scroll_into_view_if_needed()
    word = page.locator("#s2 text.tight", has_text="updated").first
    box = word.locator("xpath=preceding-sibling::*[1]").bounding_box()
    assert box is not None
    text = word.text_content()
    assert word.is_hidden()
    page.mouse.move(box["x"] - 2, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 6, box["y"] + 5, steps=3)
    page.mouse.up()
    there = page.locator("#s2 text:not(.tight)", has_text=str(text))
    assert there.first.is_visible()
