"""A real browser, and reports of stored runs to open in it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from chaoskit.history.session import write_session
from chaoskit.report.compare_page import write_comparison
from chaoskit.report.comparison import compare
from chaoskit.report.report import write_all
from chaoskit.report.stored import load_run
from tests.unit.report.scenes import session_of, write_run

ROOT = Path(__file__).parents[2]
# A browser of its own, that talks to nobody by itself: what it asks for is the page's doing.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MS = 15_000


@dataclass(kw_only=True)
class Opened:
    """A page in the browser, what it asked for, and what it complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        pytest.fail(
            "reports are tested in a browser, and there is no `chromium` in the PATH; next:"
            " chaoskit doctor --fix --for test-all (or: apt-get install chromium)",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def open_report(chromium: str, playwright: Playwright, tmp_path: Path) -> Iterator[Open]:
    contexts: list[BrowserContext] = []

    def opened(
        path: Path,
        *,
        at: str = "",
        scheme: Literal["light", "dark"] = "light",
        javascript: bool = True,
        width: int = 1280,
        height: int = 900,
    ) -> Opened:
        options: Any = {"color_scheme": scheme, "java_script_enabled": javascript}
        context = playwright.chromium.launch_persistent_context(
            tmp_path / f"profile-{len(contexts)}",
            executable_path=chromium,
            headless=True,
            args=ARGUMENTS,
            viewport={"width": width, "height": height},
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        made = Opened(page=context.new_page())
        context.on("request", lambda request: made.asked.append(request.url))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on("console", lambda message: made.complaints.append(message.text))
        made.page.goto(f"{path.as_uri()}{at}")
        return made

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a session with every outcome: a fault, a rollout, one that ended early."""
    folder = write_run(tmp_path_factory.mktemp("runs") / "20260101-120000-3f2a")
    write_session(session_of(), folder)
    write_all(folder)
    return folder / "report.html"


@pytest.fixture(scope="session")
def recorded_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of runs that were recorded on a real cluster."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(ROOT / "tests/corpus/recorded", folder, dirs_exist_ok=True)
    write_all(folder)
    return folder / "report.html"


@pytest.fixture(scope="session")
def comparison(
    report: Path, recorded_report: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The page that shows a recorded run beside the session with every outcome."""
    compared = compare(load_run(recorded_report.parent), load_run(report.parent))
    return write_comparison(compared, tmp_path_factory.mktemp("compared"))
