"""What each request that was not ok can be put down to, by the record alone.

`attribution(history)` gives a cause to every failed request of the load: the first of an ordered
list of rules (`rules.RULES`) for which the record holds the evidence. Where none does, it is
`unattributed`: such failures are the finds.
"""

from chaoskit.guarantees.attribution.all_attributed import FailuresAttributed, failures_attributed
from chaoskit.guarantees.attribution.allowed_classes import (
    ErrorClassesWithin,
    error_classes_within,
)
from chaoskit.guarantees.attribution.table import UNATTRIBUTED, Attribution, attribution

__all__ = [
    "UNATTRIBUTED",
    "Attribution",
    "ErrorClassesWithin",
    "FailuresAttributed",
    "attribution",
    "error_classes_within",
    "failures_attributed",
]
