"""The bounds of what follows the loss of a node."""

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.node_loss import NodeLossBounds, bounds_of


@pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=str)
@pytest.mark.parametrize("version", ["v1.31.9", "v1.36.3"])
def test_bounds_are_in_the_order_of_events(profile: profiles.Profile, version: str) -> None:
    bounds = NodeLossBounds(profile=profile, version=version)
    assert 0 < bounds.not_ready_s < bounds.stays_s < bounds.evicted_s < bounds.moved_s
    assert 0 < bounds.ready_again_s < bounds.restarted_s < bounds.settled_s
    # The grace and its KILL are part of how long a stray process may live.
    assert 32 < bounds.stray_s < bounds.settled_s


def test_users_notice_until_grace_period_kube_proxy_and_deadline_are_over() -> None:
    bounds = NodeLossBounds(profile=profiles.FAST, version="v1.36.3")
    assert bounds.unnoticed_s(deadline_s=2) == 16 + 1 + 2 + 2
    default = NodeLossBounds(profile=profiles.DEFAULT, version="v1.36.3")
    assert default.unnoticed_s(deadline_s=5) == 50 + 5 + 2 + 5


def test_a_cluster_has_those_of_its_profile_and_version() -> None:
    class Cluster:
        profile, version = profiles.FAST, "v1.36.3"

    assert bounds_of(Cluster()) == NodeLossBounds(profile=profiles.FAST, version="v1.36.3")
