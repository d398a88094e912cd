"""What the image of the runner is made of, as far as no engine is needed to tell."""

import re
from importlib.metadata import version

import pytest

from chaoskit.cluster import images, runner_image


def test_it_holds_what_chaoskit_needs_and_nothing_of_the_developers() -> None:
    held = dict(each.split("==") for each in runner_image.libraries())
    assert held["pyarrow"] == version("pyarrow")
    assert "greenlet" in held  # needed by what it needs
    assert {"chaoskit", "mypy", "ruff", "sphinx", "uv"}.isdisjoint(held)
    assert "colorama" not in held  # asked for on Windows alone; the developers' tools bring it


def test_its_name_follows_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    before = runner_image.reference()
    assert re.fullmatch(r"chaoskit/runner:[\w.]+-[0-9a-f]{12}", before)
    assert runner_image.reference() == before
    monkeypatch.setattr(runner_image, "libraries", lambda: ["pyarrow==1"])
    assert runner_image.reference() != before


def test_it_is_built_only_when_named() -> None:
    assert runner_image.KIND in images.EXTRAS
    assert runner_image.KIND not in images.KINDS
