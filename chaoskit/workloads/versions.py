"""What differs between versions of Kubernetes."""

import re

from chaoskit.errors import UsageError

#: The versions with the feature gate MaxUnavailableStatefulSet on: it counts a broken member, and
#: so keeps a Parallel set from replacing it.
_COUNTS_BROKEN_MEMBERS = frozenset((1, 35, patch) for patch in range(4))


def parallel_heals_by_reverting(version: str) -> bool:
    """Whether the old template alone frees a Parallel StatefulSet from a bad update.

    It does not in 1.35.0 to 1.35.3 (the gate is on there, and off again from 1.35.4 on). Raises
    `UsageError` for what is no version.
    """
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise UsageError(
            "is no version of Kubernetes",
            subject="version",
            seen=version,
            next_step='give it as the server does: "v1.36.3"',
        )
    return tuple(int(part) for part in found.groups()) not in _COUNTS_BROKEN_MEMBERS
