"""What is claimed is what was asked for, and what cannot be claimed is refused: requests."""

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


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            availability(0.9),
            availability(
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
            availability(0.9, during="loss"),
            availability(0.9, phase="p"),
            degradation(1, 0.5),
            degradation(
                0.9,
                2,
                during="loss",
                stream="s",
                connection="kept",
                operation="read",
                user="u",
                deadline_s=3,
            ),
            degradation(0.9, 2, after="loss"),
            degradation(0.9, 2, phase="p"),
            failing_at_once(0),
            failing_at_once(2, operation="read", phase="p"),
            latency(0.5),
            latency(
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
            latency(2, during="loss"),
            latency(2, phase="p"),
            no_request_lost(),
            no_request_lost(
                outside="loss",
                settle_s=2,
                stream="s",
                connection="kept",
                operation="read",
                user="u",
                deadline_s=3,
                minimum_requests=7,
            ),
            no_request_lost(during="loss"),
            no_request_lost(phase="p"),
            only_versions(["v2", "v1"]),
            only_versions(
                ["v1"],
                outside="loss",
                settle_s=2,
                stream="s",
                connection="kept",
                operation="read",
                user="u",
            ),
            only_versions(["v1"], during="loss"),
            only_versions(["v1"], phase="p"),
            outage(0.5),
            outage(
                2,
                during="loss",
                stream="s",
                connection="kept",
                operation="read",
                user="u",
                deadline_s=3,
            ),
            outage(2, after="loss"),
            outage(2, phase="p"),
            requests_lost(),
            requests_lost(1, 1),
            requests_lost(
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
            requests_lost(during="loss"),
            requests_lost(phase="p"),
            service_recovers_within(0.5, after="loss"),
            service_recovers_within(
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
            traffic_split({"v1": 0.9, "v2": 0.1}),
            traffic_split(
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
            traffic_split({"a": 1}, by="node", during="loss"),
            traffic_split({"a": 1}, phase="p"),
        )
    ] == [
        (
            "Availability(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_least=0.9,"
            " deadline_s=None, minimum_requests=None)"
        ),
        (
            "Availability(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, at_least=0.9,"
            " deadline_s=3, minimum_requests=7)"
        ),
        (
            "Availability(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, at_least=0.9,"
            " deadline_s=None, minimum_requests=None)"
        ),
        (
            "Availability(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, at_least=0.9,"
            " deadline_s=None, minimum_requests=None)"
        ),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None,"
            " during=None, after=None, phase=None, deadline_s=None, below=1, at_most_s=0.5)"
        ),
        (
            "Degradation(stream='s', connection='kept', operation='read', user='u',"
            " during='loss', after=None, phase=None, deadline_s=3, below=0.9, at_most_s=2)"
        ),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None,"
            " during=None, after='loss', phase=None, deadline_s=None, below=0.9, at_most_s=2)"
        ),
        (
            "Degradation(stream=None, connection=None, operation=None, user=None,"
            " during=None, after=None, phase='p', deadline_s=None, below=0.9, at_most_s=2)"
        ),
        (
            "FailingAtOnce(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_most=0)"
        ),
        (
            "FailingAtOnce(stream=None, connection=None, operation='read', user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, at_most=2)"
        ),
        (
            "Latency(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_most_s=0.5,"
            " quantile=0.99, minimum_requests=None)"
        ),
        (
            "Latency(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=3, at_most_s=2,"
            " quantile=0.9, minimum_requests=7)"
        ),
        (
            "Latency(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, at_most_s=2,"
            " quantile=0.99, minimum_requests=None)"
        ),
        (
            "Latency(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, at_most_s=2,"
            " quantile=0.99, minimum_requests=None)"
        ),
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
        (
            "NoRequestLost(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, deadline_s=3,"
            " minimum_requests=7)"
        ),
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
        (
            "NoRequestLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, deadline_s=None,"
            " minimum_requests=100)"
        ),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, revisions=('v2', 'v1'))"
        ),
        (
            "OnlyVersions(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, revisions=('v1',))"
        ),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, revisions=('v1',))"
        ),
        (
            "OnlyVersions(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, revisions=('v1',))"
        ),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase=None, deadline_s=None, at_most_s=0.5)"
        ),
        (
            "Outage(stream='s', connection='kept', operation='read', user='u',"
            " during='loss', after=None, phase=None, deadline_s=3, at_most_s=2)"
        ),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after='loss', phase=None, deadline_s=None, at_most_s=2)"
        ),
        (
            "Outage(stream=None, connection=None, operation=None, user=None, during=None,"
            " after=None, phase='p', deadline_s=None, at_most_s=2)"
        ),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_least=1,"
            " at_most=None, deadline_s=None, minimum_requests=100)"
        ),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, at_least=1, at_most=1,"
            " deadline_s=None, minimum_requests=100)"
        ),
        (
            "RequestsLost(stream='s', connection='kept', operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, at_least=2, at_most=9,"
            " deadline_s=3, minimum_requests=7)"
        ),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, at_least=1,"
            " at_most=None, deadline_s=None, minimum_requests=100)"
        ),
        (
            "RequestsLost(stream=None, connection=None, operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, at_least=1,"
            " at_most=None, deadline_s=None, minimum_requests=100)"
        ),
        (
            "ServiceRecoversWithin(stream=None, connection=None, operation=None,"
            " user=None, at_most_s=0.5, after='loss', after_step=None, calm_s=5.0,"
            " phase=None, deadline_s=None)"
        ),
        (
            "ServiceRecoversWithin(stream='s', connection='kept', operation='read',"
            " user='u', at_most_s=2, after=None, after_step='undo', calm_s=0.5, phase='p',"
            " deadline_s=3)"
        ),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during=None, phase=None, settle_s=0.0, shares={'v1': 0.9,"
            " 'v2': 0.1}, confidence=0.99, by='revision', tolerance=0.02,"
            " minimum_answers=100)"
        ),
        (
            "TrafficSplit(stream='s', connection=None, operation='read', user='u',"
            " outside='loss', during=None, phase=None, settle_s=2, shares={'a': 1},"
            " confidence=0.9, by='pod', tolerance=0, minimum_answers=7)"
        ),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during='loss', phase=None, settle_s=0.0, shares={'a': 1},"
            " confidence=0.99, by='node', tolerance=0.02, minimum_answers=100)"
        ),
        (
            "TrafficSplit(stream=None, connection='new', operation=None, user=None,"
            " outside=None, during=None, phase='p', settle_s=0.0, shares={'a': 1},"
            " confidence=0.99, by='revision', tolerance=0.02, minimum_answers=100)"
        ),
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: availability(0),
            lambda: availability(1),
            lambda: availability(0.9, outside="a", during="b"),
            lambda: degradation(0, 1),
            lambda: degradation(1.1, 1),
            lambda: degradation(0.9, 0),
            lambda: degradation(0.9, 1, during="a", after="b"),
            lambda: failing_at_once(-1),
            lambda: no_request_lost(outside="a", during="b"),
            lambda: only_versions(["v1"], outside="a", during="b"),
            lambda: requests_lost(outside="a", during="b"),
            lambda: latency(0),
            lambda: latency(1, quantile=0),
            lambda: latency(1, quantile=1),
            lambda: latency(1, outside="a", during="b"),
            lambda: outage(0),
            lambda: outage(1, after="a", phase="b"),
            lambda: requests_lost(0),
            lambda: requests_lost(3, 2),
            lambda: service_recovers_within(0, after="a"),
            lambda: service_recovers_within(1, after="a", calm_s=0),
            lambda: service_recovers_within(1),
            lambda: service_recovers_within(1, after="a", after_step="b"),
            lambda: traffic_split({"v1": 0.9}),
            lambda: traffic_split({"v1": 1.1, "v2": -0.1}),
            lambda: traffic_split({"v1": 1}, confidence=0),
            lambda: traffic_split({"v1": 1}, confidence=1),
            lambda: traffic_split({"v1": 1}, tolerance=-0.1),
            lambda: traffic_split({"v1": 1}, outside="a", during="b"),
        )
    ] == [
        (
            "availability's at_least: is not a share between 0 and 1\n  seen: 0\n  next: for"
            " every single request use no_request_lost()"
        ),
        (
            "availability's at_least: is not a share between 0 and 1\n  seen: 1\n  next: for"
            " every single request use no_request_lost()"
        ),
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
        "degradation's below: is not a share above 0, and at most 1\n  seen: 0",
        "degradation's below: is not a share above 0, and at most 1\n  seen: 1.1",
        "degradation's at_most_s: must be positive\n  seen: 0",
        "degradation: takes one of during=, after= and phase=\n  seen: ['a', 'b']",
        "failing_at_once's at_most: must not be negative\n  seen: -1",
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
        "latency's at_most_s: must be positive\n  seen: 0",
        "latency's quantile: is not between 0 and 1\n  seen: 0",
        "latency's quantile: is not between 0 and 1\n  seen: 1",
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
        "outage's at_most_s: must be positive\n  seen: 0",
        "outage: takes one of during=, after= and phase=\n  seen: ['a', 'b']",
        (
            "requests_lost: claims nothing\n  seen: at_least=0, at_most=None\n  next: give 1"
            " <= at_least <= at_most, or use no_request_lost()"
        ),
        (
            "requests_lost: claims nothing\n  seen: at_least=3, at_most=2\n  next: give 1 <="
            " at_least <= at_most, or use no_request_lost()"
        ),
        "service_recovers_within's at_most_s: must be positive\n  seen: 0",
        "service_recovers_within's calm_s: must be positive\n  seen: 0",
        ("service_recovers_within: takes one of after= and after_step=\n  seen: (None, None)"),
        "service_recovers_within: takes one of after= and after_step=\n  seen: ('a', 'b')",
        "traffic_split's shares: do not add up to 1\n  seen: {'v1': 0.9}",
        "traffic_split's shares: do not add up to 1\n  seen: {'v1': 1.1, 'v2': -0.1}",
        "traffic_split's confidence: is not between 0 and 1\n  seen: 0",
        "traffic_split's confidence: is not between 0 and 1\n  seen: 1",
        "traffic_split's tolerance: is negative\n  seen: -0.1",
        "a guarantee: takes one of outside= and during=\n  seen: ('a', 'b')",
    ]
