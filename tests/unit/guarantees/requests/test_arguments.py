"""What is claimed is what was asked for, and what cannot be claimed is refused: requests."""

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

#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: availability(0.9),
        (
            "Availability(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase=None, settle_s=0.0, at_least=0.9, deadline_s=None,"
            " minimum_requests=None)"
        ),
    ),
    (
        lambda: availability(
            0.9,
            outside="loss",
            settle_s=2,
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
            minimum_requests=7,
        ),
        (
            "Availability(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, at_least=0.9, deadline_s=3,"
            " minimum_requests=7)"
        ),
    ),
    (
        lambda: availability(0.9, during="loss"),
        (
            "Availability(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during='loss', phase=None, settle_s=0.0, at_least=0.9, deadline_s=None,"
            " minimum_requests=None)"
        ),
    ),
    (
        lambda: availability(0.9, phase="p"),
        (
            "Availability(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase='p', settle_s=0.0, at_least=0.9, deadline_s=None,"
            " minimum_requests=None)"
        ),
    ),
    (
        lambda: degradation(1, 0.5),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase=None, deadline_s=None, below=1, at_most_s=0.5)"
        ),
    ),
    (
        lambda: degradation(
            0.9,
            2,
            during="loss",
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
        ),
        (
            "Degradation(stream='s', connection='kept', operation='read', user='u',"
            " during='loss', after=None, phase=None, deadline_s=3, below=0.9, at_most_s=2)"
        ),
    ),
    (
        lambda: degradation(0.9, 2, after="loss"),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None, during=None,"
            " after='loss', phase=None, deadline_s=None, below=0.9, at_most_s=2)"
        ),
    ),
    (
        lambda: degradation(0.9, 2, phase="p"),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase='p', deadline_s=None, below=0.9, at_most_s=2)"
        ),
    ),
    (
        lambda: failing_at_once(0),
        (
            "FailingAtOnce(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_most=0)"
        ),
    ),
    (
        lambda: failing_at_once(2, operation="read", phase="p"),
        (
            "FailingAtOnce(stream=None, connection=None, operation='read', user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, at_most=2)"
        ),
    ),
    (
        lambda: latency(0.5),
        (
            "Latency(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase=None, settle_s=0.0, at_most_s=0.5, quantile=0.99,"
            " minimum_requests=None)"
        ),
    ),
    (
        lambda: latency(
            2,
            quantile=0.9,
            outside="loss",
            settle_s=3,
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            minimum_requests=7,
        ),
        (
            "Latency(stream='s', connection='kept', operation='read', user='u', outside='loss',"
            " during=None, phase=None, settle_s=3, at_most_s=2, quantile=0.9, minimum_requests=7)"
        ),
    ),
    (
        lambda: latency(2, during="loss"),
        (
            "Latency(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during='loss', phase=None, settle_s=0.0, at_most_s=2, quantile=0.99,"
            " minimum_requests=None)"
        ),
    ),
    (
        lambda: latency(2, phase="p"),
        (
            "Latency(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase='p', settle_s=0.0, at_most_s=2, quantile=0.99,"
            " minimum_requests=None)"
        ),
    ),
    (
        no_request_lost,
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: no_request_lost(
            outside="loss",
            settle_s=2,
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
            minimum_requests=7,
        ),
        (
            "NoRequestLost(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, deadline_s=3,"
            " minimum_requests=7)"
        ),
    ),
    (
        lambda: no_request_lost(during="loss"),
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: no_request_lost(phase="p"),
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: only_versions(["v2", "v1"]),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase=None, settle_s=0.0, revisions=('v2', 'v1'))"
        ),
    ),
    (
        lambda: only_versions(
            ["v1"],
            outside="loss",
            settle_s=2,
            stream="s",
            connection="kept",
            operation="read",
            user="u",
        ),
        (
            "OnlyVersions(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, revisions=('v1',))"
        ),
    ),
    (
        lambda: only_versions(["v1"], during="loss"),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during='loss', phase=None, settle_s=0.0, revisions=('v1',))"
        ),
    ),
    (
        lambda: only_versions(["v1"], phase="p"),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase='p', settle_s=0.0, revisions=('v1',))"
        ),
    ),
    (
        lambda: outage(0.5),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase=None, deadline_s=None, at_most_s=0.5)"
        ),
    ),
    (
        lambda: outage(
            2,
            during="loss",
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
        ),
        (
            "Outage(stream='s', connection='kept', operation='read', user='u', during='loss',"
            " after=None, phase=None, deadline_s=3, at_most_s=2)"
        ),
    ),
    (
        lambda: outage(2, after="loss"),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after='loss', phase=None, deadline_s=None, at_most_s=2)"
        ),
    ),
    (
        lambda: outage(2, phase="p"),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase='p', deadline_s=None, at_most_s=2)"
        ),
    ),
    (
        requests_lost,
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase=None, settle_s=0.0, at_least=1, at_most=None, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: requests_lost(1, 1),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase=None, settle_s=0.0, at_least=1, at_most=1, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: requests_lost(
            2,
            9,
            outside="loss",
            settle_s=2,
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
            minimum_requests=7,
        ),
        (
            "RequestsLost(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, at_least=2, at_most=9,"
            " deadline_s=3, minimum_requests=7)"
        ),
    ),
    (
        lambda: requests_lost(during="loss"),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during='loss', phase=None, settle_s=0.0, at_least=1, at_most=None,"
            " deadline_s=None, minimum_requests=100)"
        ),
    ),
    (
        lambda: requests_lost(phase="p"),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None, outside=None,"
            " during=None, phase='p', settle_s=0.0, at_least=1, at_most=None, deadline_s=None,"
            " minimum_requests=100)"
        ),
    ),
    (
        lambda: service_recovers_within(0.5, after="loss"),
        (
            "ServiceRecoversWithin(stream=None, connection=None, operation=None, user=None,"
            " at_most_s=0.5, after='loss', after_step=None, calm_s=5.0, phase=None,"
            " deadline_s=None)"
        ),
    ),
    (
        lambda: service_recovers_within(
            2,
            after_step="undo",
            calm_s=0.5,
            phase="p",
            stream="s",
            connection="kept",
            operation="read",
            user="u",
            deadline_s=3,
        ),
        (
            "ServiceRecoversWithin(stream='s', connection='kept', operation='read', user='u',"
            " at_most_s=2, after=None, after_step='undo', calm_s=0.5, phase='p', deadline_s=3)"
        ),
    ),
    (
        lambda: traffic_split({"v1": 0.9, "v2": 0.1}),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, shares={'v1': 0.9, 'v2':"
            " 0.1}, confidence=0.99, by='revision', tolerance=0.02, minimum_answers=100)"
        ),
    ),
    (
        lambda: traffic_split(
            {"a": 1},
            confidence=0.9,
            by="pod",
            tolerance=0,
            outside="loss",
            settle_s=2,
            stream="s",
            connection=None,
            operation="read",
            user="u",
            minimum_answers=7,
        ),
        (
            "TrafficSplit(stream='s', connection=None, operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, shares={'a': 1},"
            " confidence=0.9, by='pod', tolerance=0, minimum_answers=7)"
        ),
    ),
    (
        lambda: traffic_split({"a": 1}, by="node", during="loss"),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, shares={'a': 1},"
            " confidence=0.99, by='node', tolerance=0.02, minimum_answers=100)"
        ),
    ),
    (
        lambda: traffic_split({"a": 1}, phase="p"),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, shares={'a': 1},"
            " confidence=0.99, by='revision', tolerance=0.02, minimum_answers=100)"
        ),
    ),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed
