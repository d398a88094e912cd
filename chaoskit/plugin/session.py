"""The session of this process: its book, what it shares with other workers, how it says things."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from chaoskit.plugin import asked

if TYPE_CHECKING:
    from chaoskit.run.book import SessionBook
    from chaoskit.run.shared import SharedRun

_book_key: pytest.StashKey[SessionBook] = pytest.StashKey()


def has_book(config: pytest.Config) -> bool:
    """Whether anything was noted in this session."""
    return _book_key in config.stash


def book_of(config: pytest.Config) -> SessionBook:
    """The session's book; workers and their controller have one folder."""
    from chaoskit.run.book import SessionBook

    if _book_key not in config.stash:
        book = config.stash[_book_key] = SessionBook(asked.options(config), _command(config))
        folder = asked.session_folder(config)
        if folder is not None:
            book.join(folder)
    return config.stash[_book_key]


def shared_run(config: pytest.Config) -> SharedRun | None:
    """What this worker shares with the others; None outside of pytest-xdist."""
    if not asked.is_worker(config):
        return None
    from chaoskit.cluster.launch.labels import parent_process
    from chaoskit.run.shared import SharedRun

    return SharedRun(book_of(config).folder, parent_process(), sayer(config))


def _command(config: pytest.Config) -> str:
    return shlex.join(["pytest", *config.invocation_params.args])


def sayer(config: pytest.Config) -> Callable[[str], None]:
    """Prints a line past pytest's capturing: starting a cluster takes more than two seconds."""
    capture = config.pluginmanager.getplugin("capturemanager")
    reporter = config.pluginmanager.getplugin("terminalreporter")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            if asked.is_worker(config):  # its standard error is the controller's
                print(f"chaoskit: {text}", file=sys.__stderr__, flush=True)
            elif reporter is not None:
                reporter.ensure_newline()
                reporter.write_line(f"chaoskit: {text}")

    return say
