"""What a command is given through a pipe."""

import sys

from chaoskit.errors import UsageError


def read() -> str:
    """All of it. Raises `UsageError` where there is none, or it is no text."""
    if sys.stdin is None:  # closed by whoever started this, as Python shows it
        raise UsageError(
            "is closed",
            subject="standard input",
            next_step="pipe manifests into it, or name their files in place of -",
        )
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsageError("is no UTF-8", subject="standard input", seen=error) from error
