"""The documentation: it builds, and no link in it leads nowhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "scenarios/README.md")


def test_the_docs_build_without_a_warning(tmp_path: Path) -> None:
    """A page that no other leads to and a link to what is not there are warnings."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, "docs", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize("page", _OUTSIDE)
def test_pages_outside_the_docs_link_to_what_is_there(page: str) -> None:
    links = _LINK.findall((ROOT / page).read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / page).parent.joinpath(link).exists()] == []
