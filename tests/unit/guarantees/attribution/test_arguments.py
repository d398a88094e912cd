"""What is claimed is what was asked for, and what cannot be claimed is refused: attribution."""

from chaoskit.guarantees import error_classes_within, failures_attributed
from tests.corpus.verdicts import refused


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            failures_attributed(),
            failures_attributed(unattributed_at_most=2, settle_s=0),
            error_classes_within("reset/*"),
            error_classes_within(
                ["timeout/*", "status 5xx", "status 503", "timeout/*"], outside="loss", settle_s=2
            ),
            error_classes_within(
                ["unsent"], during="loss", stream="s", connection="kept", operation="read"
            ),
            error_classes_within(["unsent"], phase="p", user="u"),
        )
    ] == [
        "FailuresAttributed(unattributed_at_most=0, settle_s=5.0)",
        "FailuresAttributed(unattributed_at_most=2, settle_s=0)",
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, allowed=('reset/*',))"
        ),
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user=None,"
            " outside='loss', during=None, phase=None, settle_s=2, allowed=('status 503',"
            " 'status 5xx', 'timeout/*'))"
        ),
        (
            "ErrorClassesWithin(stream='s', connection='kept', operation='read',"
            " user=None, outside=None, during='loss', phase=None, settle_s=0.0,"
            " allowed=('unsent',))"
        ),
        (
            "ErrorClassesWithin(stream=None, connection=None, operation=None, user='u',"
            " outside=None, during=None, phase='p', settle_s=0.0, allowed=('unsent',))"
        ),
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: failures_attributed(unattributed_at_most=-1),
            lambda: failures_attributed(settle_s=-0.1),
            lambda: error_classes_within([]),
            lambda: error_classes_within(["503"]),
            lambda: error_classes_within(["unsent"], outside="a", during="b"),
        )
    ] == [
        "failures_attributed's unattributed_at_most: is below 0\n  seen: -1",
        "failures_attributed's settle_s: is below 0\n  seen: -0.1",
        (
            "error_classes_within's allowed: is empty\n  next: for no failure at all use"
            " no_request_lost()"
        ),
        (
            "error_classes_within's allowed: is no class of errors\n  seen: 503\n  next:"
            " write it like refused/connect, timeout/*, status 503, status 5xx"
        ),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ]
