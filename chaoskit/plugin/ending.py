"""SIGTERM to the process that started workers: it ends them, then what they shared, and reports.

A process without workers is told by the session that it runs (`sigterm_raises`); the one that
starts workers runs none.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from chaoskit.plugin import asked

if TYPE_CHECKING:
    from types import FrameType

TOLD_TO_END = "told to end (SIGTERM)"


def end_in_order_on_sigterm(config: pytest.Config) -> None:
    """Let SIGTERM end this run as Ctrl-C does, if by then its workers have begun a session.

    Somebody else's handler stays; so does what SIGTERM does to a run without a cluster.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def told(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one does not wait
        folder = asked.session_folder(config)
        if folder is None or not folder.exists():
            signal.raise_signal(signal.SIGTERM)
        raise pytest.exit.Exception(TOLD_TO_END, returncode=128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, told)
