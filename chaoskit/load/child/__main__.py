"""The child's entry: `python -m chaoskit.load.child DESCRIPTOR PARENT_PID [HOST PORT SILENT_S]`.

With the last three it drives nothing itself: it is Locust's master for workers that do.
Exit codes: 0 told to go, 3 the driver's process went away, 1 broken (the log says how).
"""

import sys

import locust  # noqa: F401  # first: its import patches what all later ones use

from chaoskit.load.child.control import SocketControl
from chaoskit.load.child.master import serve_workers
from chaoskit.load.child.serve import prepare_this_process, serve

_ORPHANED = 3


def main(argv: list[str]) -> int:
    """Serve one driver until it goes."""
    prepare_this_process()
    descriptor, parent, *master = argv[1:]
    control = SocketControl(int(descriptor), parent=int(parent))
    if master:
        serve_workers(control, master[0], int(master[1]), float(master[2]))
        return 0
    return 0 if serve(control) else _ORPHANED


if __name__ == "__main__":
    sys.exit(main(sys.argv))
