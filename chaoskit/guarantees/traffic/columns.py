"""Columns of the requests as guarantees read them, row by row in the order of planned time."""

import fnmatch
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.intervals import Codes, Mask, Times, blocks
from chaoskit.history.reader import History


@dataclass(frozen=True)
class TextColumn:
    """A text column as codes into its few different values; a missing text has code -1."""

    codes: Codes
    values: list[str]

    def is_like(self, pattern: str) -> Mask:
        """Which rows have a value that is, or matches, `pattern` (wildcards `*` and `?`)."""
        wanted = [value == pattern or fnmatch.fnmatchcase(value, pattern) for value in self.values]
        matches = np.array([*wanted, False])  # code -1 finds the last one
        found: Mask = np.empty(len(self.codes), dtype=np.bool_)
        for rows in blocks(len(found)):
            found[rows] = matches[self.codes[rows]]
        return found

    def at(self, row: int) -> str | None:
        """The text of one row."""
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]


def text_column(history: History, name: str) -> TextColumn:
    """A dictionary column of the requests."""
    return TextColumn(*history.texts(name))


def integers(history: History, name: str) -> Times:
    """An integer column of the requests, -1 where one has none."""
    return history.numbers(name)


def ends_ns(history: History) -> Times:
    """When each request ended; the planned time of one that was never sent."""
    return history.once(_ends_ns)


def _ends_ns(history: History) -> Times:
    planned, end = integers(history, "planned_ns"), integers(history, "end_ns")
    ends: Times = np.maximum(end, planned) if bool(np.any(end < planned)) else end
    return ends
