"""The class of a failure in one text: "refused/connect", "status 503", "in_flight_limit"."""

import fnmatch
import re
from collections.abc import Iterable, Sequence

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.intervals import Codes
from chaoskit.guarantees.traffic.columns import TextColumn, integers, text_column
from chaoskit.history.reader import History

#: What a pattern for classes looks like: "timeout/*", "status 5xx", "cut_off/wait", "unsent". One
#: of wildcards alone would allow everything.
_PATTERN = re.compile(r"(?=.*[a-z])(status [1-5*?][0-9x*?]{0,2}|[a-z_*?]+(/[a-z*?]+)?)")


def error_classes(history: History, rows: Codes) -> TextColumn:
    """The class of each of these requests, which are not ok.

    An HTTP status is its own class; any other error stands before the phase it occurred in.
    A request that names no error has its outcome as class.
    """
    texts = [text_column(history, name) for name in ("outcome", "error", "error_phase")]
    status = integers(history, "status")[rows].astype(np.int64)
    key = status + 1
    for text in texts:
        key = key * (len(text.values) + 1) + text.codes[rows] + 1
    _, first, combination = np.unique(key, return_index=True, return_inverse=True)
    code_of: dict[str, int] = {}
    codes = np.zeros(len(first), dtype=np.int32)
    for number, place in enumerate(first):
        outcome, error, phase = (text.at(int(rows[place])) for text in texts)
        name = _class_of(str(outcome), error, phase, int(status[place]))
        codes[number] = code_of.setdefault(name, len(code_of))
    return TextColumn(codes[combination.reshape(-1)], list(code_of))


def matching_classes(values: Sequence[str], patterns: Iterable[str]) -> list[bool]:
    """Which of these classes are, or match, one of the patterns.

    `*` and `?` are wildcards; in a status `x` stands for any digit.
    """
    globs = [
        pattern.replace("x", "?") if pattern.startswith("status ") else pattern
        for pattern in patterns
    ]
    return [any(fnmatch.fnmatchcase(value, glob) for glob in globs) for value in values]


def require_patterns(patterns: Iterable[str], subject: str) -> None:
    """Raise `UsageError` for a pattern that no class can match."""
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise UsageError(
                "is no class of errors",
                subject=subject,
                seen=pattern,
                next_step="write it like refused/connect, timeout/*, status 503, status 5xx",
            )


def _class_of(outcome: str, error: str | None, phase: str | None, status: int) -> str:
    if status >= 0 and error in (None, "status"):
        return f"status {status}"
    if error is None:
        return outcome
    return f"{error}/{phase}" if phase else error
