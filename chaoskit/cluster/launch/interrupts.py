"""Signals at any moment: SIGTERM ends the process as Ctrl-C does, removal is not cut short."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(SystemExit):
    """SIGTERM came; 143 is what a shell reports for it."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into `Terminated` inside the block, so that cleaning up happens.

    Only the main thread can do this; elsewhere the block runs unchanged.
    """

    def raise_terminated(number: int, frame: FrameType | None) -> None:
        raise Terminated

    with _handling({signal.SIGTERM: raise_terminated}):
        yield


@contextmanager
def interrupts_held(*, allow: int = 1) -> Iterator[None]:
    """Hold the first `allow` interrupts back until the block is done; the next one breaks it.

    For removal: an impatient second Ctrl-C must not leave half a cluster, a third may. What goes
    wrong in the block meanwhile is the interrupt's cause, and a note of it.
    """
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)
        if len(held) > allow:
            raise KeyboardInterrupt

    try:
        with _handling({signal.SIGINT: hold, signal.SIGTERM: hold}):
            yield
    except Exception as error:
        if not held:
            raise
        interrupt = _raised_for(held[0])
        interrupt.add_note(f"and {error}")
        raise interrupt from error
    if held:
        raise _raised_for(held[0])


def _raised_for(number: int) -> BaseException:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


@contextmanager
def _handling(handlers: dict[signal.Signals, object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, previous in before.items():
            # None: installed by C code, which Python cannot put back.
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)
