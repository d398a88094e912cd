"""What differs between versions of Kubernetes."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.workloads.versions import parallel_heals_by_reverting


def test_versions_in_which_a_parallel_set_stays_stuck() -> None:
    assert not any(parallel_heals_by_reverting(f"v1.35.{patch}+k3s1") for patch in range(4))
    assert all(parallel_heals_by_reverting(v) for v in ("v1.34.9", "1.35.4", "v1.36.3", "v1.35.10"))
    with pytest.raises(UsageError, match=r"v1\.36\.3"):
        parallel_heals_by_reverting("latest")
