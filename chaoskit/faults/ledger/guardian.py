"""A process that sees the harness die and heals what it left open: `python -m` this module.

It is told on standard input, one line each: `watch NAME` (connect to that cluster beforehand) and
`close` (the harness ends in good order). It says `ready` and `watching NAME` on standard output.
The end of standard input means nothing: the pipe's other end may live on in a child.
"""

import argparse
import contextlib
import os
import select
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaoskit import clock
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import labels, leftovers
from chaoskit.errors import ChaoskitError
from chaoskit.faults.catalogue import fault_types
from chaoskit.faults.ledger.entry import Entry
from chaoskit.faults.ledger.healing import Healed, Healer
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.priority import prefer_this_process
from chaoskit.waiting import wait_until

#: A node that answers again only after a while (it is restarted by its engine) is tried so long.
TRIED_FOR_S = 60.0
_AGAIN_EVERY_S = 1.0
_LINE_BYTES = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Guard one process until it ends. 0: nothing of it is left open."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--owner", required=True, help="the guarded process, as labels name it")
    parser.add_argument("--log", required=True, type=Path, help="removed if there was nothing")
    given = parser.parse_args(arguments)
    owner = labels.parse_owner(given.owner)
    if owner is None:
        parser.error(f"--owner {given.owner!r} names no process")
    # It ends with the harness, not before: the same signal may have been sent to both.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    fault_types()  # their modules are loaded now, not when seconds count
    guardian = Guardian(owner, Log(given.log))
    return guardian.run()


class Log:
    """Lines with their time in a file, and nothing at all while there is nothing to say.

    A `heading` is what the next line, if there is one, is said about.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.heading = ""

    def __call__(self, text: str) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self.path.open("a") as file:
            for line in (self.heading, text) if self.heading else (text,):
                file.write(f"{stamp} {line}\n")
        self.heading = ""
        self.lines += 1


class Guardian:
    """Waits for the end of its owner, in good order or not."""

    def __init__(self, owner: labels.Owner, log: Log) -> None:
        self._owner = owner
        self._log = log
        self._ledger = Ledger()
        self._provider = K3sProvider(progress=log)
        self._healer = Healer(self._provider, self._ledger)

    def run(self) -> int:
        """Wait, then heal, then remove what nobody keeps. 0: nothing is left open."""
        in_good_order = self._wait_end()
        seen_ns = clock.now_ns()
        if not in_good_order:
            self._log.heading = f"process {self._owner.pid} has ended without closing"
        left = self._heal_all(seen_ns)
        if not in_good_order:
            left = self._remove_clusters(left)
        for entry in left:
            self._log(f"{entry}: still open; chaoskit heal tries again")
        self._healer.close()
        if not self._log.lines:
            with contextlib.suppress(FileNotFoundError):
                self._log.path.unlink()
        return 1 if left else 0

    def _wait_end(self) -> bool:
        """True when the harness says that it closes, False as soon as it is gone."""
        try:
            pidfd = os.pidfd_open(self._owner.pid)
        except ProcessLookupError:
            return False
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(0, select.POLLIN)
        # Asked after the pidfd is open: from here on no other process can take its number.
        if labels.life_of(self._owner) != "alive":
            return False
        prefer_this_process()
        _tell("ready")
        rest = b""
        while True:
            ready = {number for number, _ in poll.poll()}
            if 0 in ready:
                data = os.read(0, _LINE_BYTES)
                if not data:
                    poll.unregister(0)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    word, _, name = line.decode(errors="replace").partition(" ")
                    if word == "close":
                        return True
                    if word == "watch":
                        self._watch(name)
            elif pidfd in ready:
                return False

    def _watch(self, name: str) -> None:
        """Connect now: when it is needed there may be little time."""
        try:
            cluster = self._healer.connect(name)
            _tell(f"watching {name}")
            if isinstance(cluster, K3sCluster):
                for node in cluster.nodes:
                    node.agent.call("hello")
        except ChaoskitError as error:
            # A node may be away just now; it is connected again when it is needed.
            self._log(f"cannot connect to {name} yet: {error}")
            _tell(f"watching {name}")

    def _heal_all(self, seen_ns: int) -> list[Entry]:
        """Heal what its owner left, again and again for a while; what is open after that."""

        def attempt() -> bool:
            for one in self._healer.heal(self._open()):
                after_s = (clock.now_ns() - seen_ns) / 1e9
                self._log(f"{one} ({after_s:.2f} s after the end was seen)")
            return not self._open()

        with contextlib.suppress(ChaoskitError):  # what is open is told by the caller
            wait_until(
                attempt,
                what="all faults to be healed",
                timeout_s=TRIED_FOR_S,
                interval_s=_AGAIN_EVERY_S,
            )
        return self._open()

    def _remove_clusters(self, left: list[Entry]) -> list[Entry]:
        """Remove its owner's clusters, and with them what could not be healed; what is left."""

        def sweep_again() -> bool:
            """False when something was removed: the engine may have been making more of it."""
            said = leftovers.sweep(self._provider.client, owner=self._owner)
            for line in said:
                self._log(line)
            return not said

        try:
            wait_until(
                sweep_again,
                what=f"nothing to be left of process {self._owner.pid}",
                timeout_s=TRIED_FOR_S,
                interval_s=_AGAIN_EVERY_S,
            )
            settled: list[Healed] = [*self._healer_anew().heal(left)] if left else []
        except ChaoskitError as error:
            self._log(f"cannot remove the clusters of process {self._owner.pid}: {error}")
            return left
        for one in settled:
            self._log(str(one))
        return self._open()

    def _healer_anew(self) -> Healer:
        """One that asks the engine again which clusters there are."""
        self._healer.close()
        return self._healer

    def _open(self) -> list[Entry]:
        return [e for e in self._ledger.read().entries if e.owner == str(self._owner)]


def _tell(line: str) -> None:
    """Tell the harness, if it still is there."""
    with contextlib.suppress(OSError):
        os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
