"""What pytest-html's users see of a scenario: by that plugin itself, in a run of its own."""

import re

import pytest

# A run without a cluster: the plugin's part is given what a scenario leaves behind.
CONFTEST = """
from pathlib import Path
from types import SimpleNamespace

import pytest
from chaoskit.guarantees.judge import judgement
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.plugin.html_extras import add_extras


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        verdict = Verdict(
            guarantee="outage", version=1, title="no outage <b>", outcome=Outcome.HELD,
            summary="longest 0.1 s",
        )
        record = SimpleNamespace(path=Path("reports/run/scenario").resolve())
        run = SimpleNamespace(
            record=record,
            setup=SimpleNamespace(seed=4711),
            judgement=judgement([verdict], chaoskit_version="0"),
        )
        add_extras(item.config, report, run)
    return report
"""
SCENARIO = "def test_scenario():\n    pass\n"


def test_verdicts_seed_and_links_are_in_its_report(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(SCENARIO)
    result = pytester.runpytest_subprocess("-p", "no:locust", "--html=out/page.html")
    result.assert_outcomes(passed=1)
    page = (pytester.path / "out" / "page.html").read_text()
    (data,) = re.findall(r'data-jsonblob="([^"]*)"', page)
    for words in (
        "chaoskit seed 4711",
        "no outage &amp;lt;b&amp;gt;".replace("&amp;", "&"),
        "longest 0.1 s",
        "../reports/run/report.html",
        "../reports/run/scenario",
    ):
        assert words in data.replace("&amp;", "&"), words
    assert "no outage <b>" not in page


@pytest.mark.parametrize("arguments", [(), ("-p", "no:html")])
def test_without_it_nothing_is_added(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(SCENARIO)
    result = pytester.runpytest_subprocess("-p", "no:locust", *arguments)
    result.assert_outcomes(passed=1)
