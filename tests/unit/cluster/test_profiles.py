"""The bounds that follow from a node-loss profile."""

import pytest

from chaoskit.cluster import profiles
from chaoskit.errors import UsageError

VERSIONS = ("v1.31.9", "v1.32.0", "v1.36.3")


@pytest.mark.parametrize(
    "text, pair", [("v1.36.3", (1, 36)), ("v1.33.1+k3s1", (1, 33)), ("1.30", (1, 30))]
)
def test_version_is_read_in_every_spelling(text: str, pair: tuple[int, int]) -> None:
    assert profiles.version_pair(text) == pair


def test_nonsense_is_no_version() -> None:
    with pytest.raises(UsageError, match="latest"):
        profiles.version_pair("latest")


@pytest.mark.parametrize("version, seconds", [("v1.31.14", 40.0), ("v1.32.0", 50.0)])
def test_default_grace_is_that_of_the_version(version: str, seconds: float) -> None:
    assert profiles.grace_s(profiles.DEFAULT, version) == seconds
    assert profiles.grace_s(profiles.FAST, version) == 16.0


@pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=str)
@pytest.mark.parametrize("version", VERSIONS)
def test_bounds_are_in_the_order_of_events(profile: profiles.Profile, version: str) -> None:
    grace = profiles.grace_s(profile, version)
    assert (
        0
        < profiles.not_ready_after_s(profile, version)
        < grace
        < profiles.not_ready_within_s(profile, version)
        < profiles.evicted_within_s(profile, version)
    )
    assert profiles.evicted_after_s(profile, version) > profiles.not_ready_after_s(profile, version)


def test_measured_loss_and_return_of_a_node_lie_within_the_bounds() -> None:
    # Measured with grace 40 s: NotReady after 39 s. Ready again 6 to 60 s after the heal.
    bounds = (
        profiles.not_ready_after_s(profiles.DEFAULT, "v1.31.0"),
        profiles.not_ready_within_s(profiles.DEFAULT, "v1.31.0"),
    )
    assert bounds[0] <= 39 <= bounds[1]
    assert profiles.ready_again_within_s(profiles.FAST) > 60.2 + 5


def test_fast_leaves_the_lease_four_renewals_before_the_grace_ends() -> None:
    # Less would give up nodes that are merely busy.
    assert profiles.FAST.grace_s is not None
    assert profiles.FAST.grace_s >= 4 * profiles.FAST.renew_s


def test_default_changes_nothing_of_kubernetes() -> None:
    assert profiles.controller_manager_arguments(profiles.DEFAULT) == ()
    assert profiles.api_server_arguments(profiles.DEFAULT) == ()
    assert profiles.kubelet_fields(profiles.DEFAULT) == {}


def test_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="fast, default"):
        profiles.profile_named("slow")


def test_a_short_absence_is_half_the_grace_or_twenty_seconds_less() -> None:
    assert profiles.short_absence_s(profiles.FAST, "v1.36.3") == 8.0
    assert profiles.short_absence_s(profiles.DEFAULT, "v1.36.3") == 30.0
    assert profiles.short_absence_s(profiles.DEFAULT, "v1.31.9") == 20.0


@pytest.mark.parametrize(
    "absence_s, seconds",
    # Tries after 0.8, 2.4, 5.6, 12.0, 24.8 s: of those that lie before the server serves again the
    # last has failed, the next may take twice its delay, and the one after that as well.
    [(0, 2 * (3.2 + 6.4)), (8, 2 * (12.8 + 25.6)), (24, 2 * (25.6 + 30)), (300, 2 * (30 + 30))],
)
def test_watches_come_back_with_growing_waits(absence_s: float, seconds: float) -> None:
    assert profiles.watches_back_within_s(absence_s) == pytest.approx(seconds)


@pytest.mark.parametrize("profile", [profiles.FAST, profiles.DEFAULT])
def test_pods_are_given_up_after_their_toleration_and_collected_after_quarantine(
    profile: profiles.Profile,
) -> None:
    assert profiles.given_up_within_s(profile) > profile.toleration_s
    assert profiles.garbage_collected_after_s() == 40.0
    assert profiles.garbage_collected_within_s() == 85.0


@pytest.mark.parametrize("name", ["fast", "default", "unknown"])
def test_a_fault_may_last_until_pods_have_left_its_node(name: str) -> None:
    profile = profiles.PROFILES.get(name, profiles.DEFAULT)
    assert profiles.fault_may_last_s(name) > profiles.evicted_within_s(profile, "v1.36.3") + 60
