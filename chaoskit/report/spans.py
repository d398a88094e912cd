"""Spans: what was in which state from when to when."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Span:
    """`state` from `start_ns` to `end_ns`; `open_end` when the record ends before it did."""

    start_ns: int
    end_ns: int
    state: str
    title: str = ""
    revision: str = ""
    owner: str = ""  # pod UID, which tells incarnations of one name apart; a step's, phase's name
    open_end: bool = False
