"""What every guarantee is: a frozen value with parameters, and a pure function of the history."""

from typing import ClassVar, Protocol

from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


class Guarantee(Protocol):
    """`name` and `version` identify the rule; the dataclass fields are its parameters.

    The record stores all three, so that a stored run can be judged again.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    def check(self, history: History) -> Verdict:
        """Judge the record. UNKNOWN for an empty one; raises only on a malformed one."""
        ...
