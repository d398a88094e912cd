"""What every process that drives loads does: it prepares itself, then obeys a driver."""

import gc
import logging
import os
import platform
import resource
import signal
import sys

from chaoskit import clock
from chaoskit.load.child.control import Control
from chaoskit.load.child.drive import drive
from chaoskit.load.child.record import warm_up
from chaoskit.load.messages import Begin, Failed, LoadSummary, Ready, Stop
from chaoskit.priority import prefer_this_process


def prepare_this_process() -> None:
    """Log, descriptors, priority, and whatever would take time in the middle of a load."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # A terminal's Ctrl-C reaches the driver, which then stops the load in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_descriptor_limit()
    if not prefer_this_process():
        logging.info("no right to a higher priority: on a busy machine the load may be late")
    warm_up()


def serve(control: Control) -> bool:
    """Drive one load after the other until told to go; False if the driver went away in one."""
    # What was imported stays: a full collection over it would stall the schedule for long.
    gc.collect()
    gc.freeze()
    control.say(Ready(pid=os.getpid(), host=platform.node(), boot_id=clock.boot_id()))
    last: LoadSummary | Failed | None = None
    while (message := control.next()) is not None:
        if isinstance(message, Begin):
            _log_to(message.log_path)
            last = drive(message, control)
            if last is None:
                return False
        elif isinstance(message, Stop) and last is not None and message.turn == last.turn:
            control.say(last)
    return True


def _raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _log_to(path: str) -> None:
    """Let everything this process prints go to the load's own log."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)
