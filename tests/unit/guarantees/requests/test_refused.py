"""What cannot be claimed is refused: requests."""

from collections.abc import Callable

from chaoskit.guarantees import (
    availability,
    degradation,
    failing_at_once,
    latency,
    no_request_lost,
    only_versions,
    outage,
    requests_lost,
    service_recovers_within,
    traffic_split,
)
from tests.corpus.verdicts import refused

#: What cannot be claimed, and what is said against it.
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: availability(0),
        (
            "availability's at_least: is not a share between 0 and 1\n  seen: 0\n  next: for"
            " every single request use no_request_lost()"
        ),
    ),
    (
        lambda: availability(1),
        (
            "availability's at_least: is not a share between 0 and 1\n  seen: 1\n  next: for"
            " every single request use no_request_lost()"
        ),
    ),
    (
        lambda: availability(0.9, outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
    (
        lambda: degradation(0, 1),
        "degradation's below: is not a share above 0, and at most 1\n  seen: 0",
    ),
    (
        lambda: degradation(1.1, 1),
        "degradation's below: is not a share above 0, and at most 1\n  seen: 1.1",
    ),
    (lambda: degradation(0.9, 0), "degradation's at_most_s: must be positive\n  seen: 0"),
    (
        lambda: degradation(0.9, 1, during="a", after="b"),
        "degradation: takes one of during=, after= and phase=\n  seen: ['a', 'b']",
    ),
    (lambda: failing_at_once(-1), "failing_at_once's at_most: must not be negative\n  seen: -1"),
    (
        lambda: no_request_lost(outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
    (
        lambda: only_versions(["v1"], outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
    (
        lambda: requests_lost(outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
    (lambda: latency(0), "latency's at_most_s: must be positive\n  seen: 0"),
    (lambda: latency(1, quantile=0), "latency's quantile: is not between 0 and 1\n  seen: 0"),
    (lambda: latency(1, quantile=1), "latency's quantile: is not between 0 and 1\n  seen: 1"),
    (
        lambda: latency(1, outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
    (lambda: outage(0), "outage's at_most_s: must be positive\n  seen: 0"),
    (
        lambda: outage(1, after="a", phase="b"),
        "outage: takes one of during=, after= and phase=\n  seen: ['a', 'b']",
    ),
    (
        lambda: requests_lost(0),
        (
            "requests_lost: claims nothing\n  seen: at_least=0, at_most=None\n  next: give 1 <="
            " at_least <= at_most, or use no_request_lost()"
        ),
    ),
    (
        lambda: requests_lost(3, 2),
        (
            "requests_lost: claims nothing\n  seen: at_least=3, at_most=2\n  next: give 1 <="
            " at_least <= at_most, or use no_request_lost()"
        ),
    ),
    (
        lambda: service_recovers_within(0, after="a"),
        "service_recovers_within's at_most_s: must be positive\n  seen: 0",
    ),
    (
        lambda: service_recovers_within(1, after="a", calm_s=0),
        "service_recovers_within's calm_s: must be positive\n  seen: 0",
    ),
    (
        lambda: service_recovers_within(1),
        "service_recovers_within: takes one of after= and after_step=\n  seen: (None, None)",
    ),
    (
        lambda: service_recovers_within(1, after="a", after_step="b"),
        "service_recovers_within: takes one of after= and after_step=\n  seen: ('a', 'b')",
    ),
    (
        lambda: traffic_split({"v1": 0.9}),
        "traffic_split's shares: do not add up to 1\n  seen: {'v1': 0.9}",
    ),
    (
        lambda: traffic_split({"v1": 1.1, "v2": -0.1}),
        "traffic_split's shares: do not add up to 1\n  seen: {'v1': 1.1, 'v2': -0.1}",
    ),
    (
        lambda: traffic_split({"v1": 1}, confidence=0),
        "traffic_split's confidence: is not between 0 and 1\n  seen: 0",
    ),
    (
        lambda: traffic_split({"v1": 1}, confidence=1),
        "traffic_split's confidence: is not between 0 and 1\n  seen: 1",
    ),
    (
        lambda: traffic_split({"v1": 1}, tolerance=-0.1),
        "traffic_split's tolerance: is negative\n  seen: -0.1",
    ),
    (
        lambda: traffic_split({"v1": 1}, outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
]


def test_what_cannot_be_claimed_is_refused() -> None:
    for make, said in REFUSED:
        assert refused(make) == said
