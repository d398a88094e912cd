"""What is claimed is what was asked for, and what cannot be claimed is refused: attribution."""

from collections.abc import Callable

from chaoskit.guarantees import error_classes_within, failures_attributed
from tests.corpus.verdicts import refused

#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (failures_attributed, "FailuresAttributed(unattributed_at_most=0, settle_s=5.0)"),
    (
        lambda: failures_attributed(unattributed_at_most=2, settle_s=0),
        "FailuresAttributed(unattributed_at_most=2, settle_s=0)",
    ),
    (
        lambda: error_classes_within("reset/*"),
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, allowed=('reset/*',))"
        ),
    ),
    (
        lambda: error_classes_within(
            ["timeout/*", "status 5xx", "status 503", "timeout/*"], outside="loss", settle_s=2
        ),
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user=None,"
            " outside='loss', during=None, phase=None, settle_s=2, allowed=('status 503',"
            " 'status 5xx', 'timeout/*'))"
        ),
    ),
    (
        lambda: error_classes_within(
            ["unsent"], during="loss", stream="s", connection="kept", operation="read"
        ),
        (
            "ErrorClassesWithin(stream='s', connection='kept', operation='read', user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, allowed=('unsent',))"
        ),
    ),
    (
        lambda: error_classes_within(["unsent"], phase="p", user="u"),
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user='u',"
            " outside=None, during=None, phase='p', settle_s=0.0, allowed=('unsent',))"
        ),
    ),
]

#: What cannot be claimed, and what is said against it.
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: failures_attributed(unattributed_at_most=-1),
        "failures_attributed's unattributed_at_most: is below 0\n  seen: -1",
    ),
    (
        lambda: failures_attributed(settle_s=-0.1),
        "failures_attributed's settle_s: is below 0\n  seen: -0.1",
    ),
    (
        lambda: error_classes_within([]),
        (
            "error_classes_within's allowed: is empty\n  next: for no failure at all use"
            " no_request_lost()"
        ),
    ),
    (
        lambda: error_classes_within(["503"]),
        (
            "error_classes_within's allowed: is no class of errors\n  seen: 503\n  next: write"
            " it like refused/connect, timeout/*, status 503, status 5xx"
        ),
    ),
    (
        lambda: error_classes_within(["unsent"], outside="a", during="b"),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed


def test_what_cannot_be_claimed_is_refused() -> None:
    for make, said in REFUSED:
        assert refused(make) == said
