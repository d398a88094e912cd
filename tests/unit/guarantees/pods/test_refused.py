"""What cannot be claimed is refused: pods."""

from collections.abc import Callable
from types import SimpleNamespace

from chaoskit.guarantees import (
    evicted_between,
    evictions_stop,
    evictions_wait,
    only_images,
    pods_evicted_within,
    pods_stay,
    ready_endpoints_stay,
    reason_shown,
    restarts_back_off,
    same_pods_come_back,
    termination_in_order,
)
from tests.corpus.verdicts import refused

#: A workload as scenarios hand it over.
JOB = SimpleNamespace(ref=SimpleNamespace(kind="Job", name="work"))


#: What cannot be claimed, and what is said against it.
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: evictions_stop("web", [], at_least_s=3),
        (
            "evictions_stop: claims nothing\n  seen: 0 nodes, 3 s\n  next: name nodes, and a"
            " time above 0"
        ),
    ),
    (
        lambda: evictions_stop("web", ["n1"], at_least_s=0),
        (
            "evictions_stop: claims nothing\n  seen: 1 nodes, 0 s\n  next: name nodes, and a"
            " time above 0"
        ),
    ),
    (
        lambda: pods_evicted_within("web", ["n1"], not_before_s=0, at_most_s=0),
        (
            "pods_evicted_within: claims nothing\n  seen: 1 nodes, 0 s\n  next: name nodes, and"
            " a time above 0"
        ),
    ),
    (
        lambda: pods_evicted_within("web", [], not_before_s=1, at_most_s=2),
        (
            "pods_evicted_within: claims nothing\n  seen: 0 nodes, 1 s\n  next: name nodes, and"
            " a time above 0"
        ),
    ),
    (lambda: reason_shown("web"), "reason_shown: names no reason\n  next: name one to expect"),
    (lambda: only_images([], "web"), "only_images: names no image"),
    (
        lambda: pods_stay("web", {"v1": 0}, phase="canary"),
        "pods_stay's numbers: must be above 0\n  seen: {'v1': 0}",
    ),
    (
        lambda: ready_endpoints_stay("web", {"v1": -1}, phase="canary"),
        "ready_endpoints_stay's numbers: must be above 0\n  seen: {'v1': -1}",
    ),
    (lambda: evictions_wait("web", at_least_s=0), "evictions_wait: must be positive\n  seen: 0"),
    (
        lambda: termination_in_order("web", kubelet_slack_s=0),
        "termination_in_order's kubelet_slack_s: must be positive\n  seen: 0",
    ),
    (
        lambda: termination_in_order("web", clean_up_s=0),
        "termination_in_order's clean_up_s: must be positive\n  seen: 0",
    ),
    (
        lambda: same_pods_come_back(9, "web", "n2", fault="pause", restarts=-1),
        "same_pods_come_back's restarts: is negative\n  seen: -1",
    ),
    (
        lambda: evicted_between("web", "n2", 4, 3, fault="nic_down"),
        "evicted_between's times: are no span of time\n  seen: (4, 3)",
    ),
    (
        lambda: evicted_between("web", "n2", -1, 3, fault="nic_down"),
        "evicted_between's times: are no span of time\n  seen: (-1, 3)",
    ),
    (
        lambda: restarts_back_off("web", first_s=0),
        "restarts_back_off's first_s: must be positive\n  seen: 0",
    ),
    (
        lambda: restarts_back_off("web", most_s=0),
        "restarts_back_off's most_s: must not be below first_s\n  seen: 0",
    ),
    (
        lambda: restarts_back_off("web", sync_slack_s=0),
        "restarts_back_off's sync_slack_s: must be positive\n  seen: 0",
    ),
    (
        lambda: restarts_back_off("web", first_s=2, most_s=1),
        "restarts_back_off's most_s: must not be below first_s\n  seen: 1",
    ),
]


def test_what_cannot_be_claimed_is_refused() -> None:
    for make, said in REFUSED:
        assert refused(make) == said
