"""Verdicts on one run, word by word: what people read in a report is part of the claim."""

from chaoskit.guarantees import (
    availability,
    degradation,
    latency,
    no_request_lost,
    only_versions,
    outage,
    traffic_split,
)
from chaoskit.guarantees.verdict import Evidence, Outcome, Verdict, Witness
from tests.corpus.requests import answered_by, bad_between, slowed, steady
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

STREAM = "kept via n1"

#: Ten requests a second for 12 s; 50 to 52 and 70 are refused, every fourth is answered by v2, and
#: those planned from 9 s on until 9.3 s take 0.4 s.
ROWS = slowed(
    answered_by(
        steady(seconds=12, rate_per_s=10, outcome=bad_between((5, 5.3), (7, 7.1))),
        lambda slot: "v2" if slot % 4 == 0 else "v1",
    ),
    9,
    9.3,
    0.4,
)


def witness(second: float, text: str, *objects: str) -> Witness:
    return Witness(time_ns=at(second), text=text, objects=list(objects))


def test_only_versions() -> None:
    first = "answered as revision v2: slot 0: read on stream kept via n1: ok, answered by web-1"
    last = "answered as revision v2: slot 116: read on stream kept via n1: ok, answered by web-1"
    verdict = verdict_on(only_versions(["v1", "v3"]), None, ROWS)
    assert verdict == Verdict(
        guarantee="only_versions",
        version=1,
        title="only v1, v3 answer",
        outcome=Outcome.VIOLATED,
        summary=f"87 of v1, 29 of v2; {first}",
        evidence=Evidence(
            count=29, first=witness(0, first), worst=witness(0, first), last=witness(11.6, last)
        ),
        coverage={"answers of v1": 87, "answers of v2": 29},
    )


def test_only_versions_without_an_answer() -> None:
    verdict = verdict_on(only_versions(["v1"], stream="other"), None, ROWS)
    assert verdict.summary == "cannot tell: no answer names a revision"
    assert verdict.coverage == {}


def test_availability() -> None:
    text = "slot 50: read on stream kept via n1: fail (refused connect)"
    last = "slot 70: read on stream kept via n1: fail (refused connect)"
    figures = {
        "ok_ratio": 0.966666667,
        "bad_share_at_most": 0.074652808,
        "ok_ratio_of_worst_stream": 0.966666667,
    }
    counted = "116 of 120 requests ok (96.67 %); not ok: at most 7.465 % at 95 %"
    evidence = Evidence(
        count=4,
        first=witness(5, text, STREAM),
        worst=witness(5, text, STREAM),
        last=witness(7, last, STREAM),
    )
    assert verdict_on(availability(0.9), None, ROWS) == Verdict(
        guarantee="availability",
        version=4,
        title="at least 90 % of requests ok",
        outcome=Outcome.HELD,
        summary=counted,
        coverage={"requests": 120, "not ok": 4},
        figures=figures,
    )
    assert verdict_on(availability(0.999, connection="kept"), None, ROWS) == Verdict(
        guarantee="availability",
        version=4,
        title="at least 99.9 % of requests by connection kept ok",
        outcome=Outcome.VIOLATED,
        summary=f"{counted}; {text}",
        evidence=evidence,
        coverage={"requests by connection kept": 120, "not ok": 4},
        figures=figures,
    )
    assert verdict_on(no_request_lost(stream="kept*"), None, ROWS) == Verdict(
        guarantee="no_request_lost",
        version=4,
        title="no request lost on stream kept*",
        outcome=Outcome.VIOLATED,
        summary=f"{counted}; {text}",
        evidence=evidence,
        coverage={"requests on stream kept*": 120, "not ok": 4},
        figures=figures,
    )


def test_too_few_requests() -> None:
    fine = steady(seconds=1, rate_per_s=50)
    verdict = verdict_on(availability(0.99), None, fine)
    assert verdict.summary == (
        "cannot tell: 50 requests are too few to tell (300 needed);"
        " 50 of 50 requests ok (100 %); not ok: at most 6 % at 95 %"
    )
    verdict = verdict_on(no_request_lost(), None, fine)
    assert verdict.summary.startswith("cannot tell: 50 requests are too few (100 needed); ")
    verdict = verdict_on(latency(1.0), None, fine)
    assert verdict.summary == (
        "cannot tell: 50 requests are too few to tell (300 needed);"
        " 0 of 50 requests slower than 1 s or not ok (0 %; 1 % allowed)"
    )


def test_latency() -> None:
    first = "slot 50: read on stream kept via n1: fail (refused connect), "
    first += "0.005 s after its planned time (0.005 s after it was sent)"
    worst = "slot 90: read on stream kept via n1: ok, answered by web-1, "
    worst += "0.400 s after its planned time (0.400 s after it was sent)"
    last = worst.replace("slot 90", "slot 92")
    assert verdict_on(latency(0.1, quantile=0.95, operation="read"), None, ROWS) == Verdict(
        guarantee="latency",
        version=2,
        title="95 % of requests of operation read answered within 0.1 s",
        outcome=Outcome.VIOLATED,
        summary=f"7 of 120 requests slower than 0.1 s or not ok (5.833 %; 5 % allowed); {first}",
        evidence=Evidence(
            count=7,
            first=witness(5, first, STREAM),
            worst=witness(9, worst, STREAM),
            last=witness(9.2, last, STREAM),
        ),
        coverage={"requests of operation read": 120, "slow or not ok": 7},
        figures={
            "response_quantile_of_worst_stream_s": 0.005,
            "response_p50_s": 0.005,
            "response_p90_s": 0.005,
            "response_p99_s": 0.4,
            "response_max_s": 0.4,
            "service_p50_s": 0.0049,
            "service_p90_s": 0.0049,
            "service_p99_s": 0.3999,
            "service_max_s": 0.3999,
            "slow_share": 0.058333333,
            "slow_share_of_worst_stream": 0.058333333,
        },
    )


def test_outage() -> None:
    text = "stream kept via n1 of load load-1 had no ok for 0.200 s (at most 0.400 s)"
    seen = witness(5, text, STREAM, "load-1")
    verdict = verdict_on(outage(0.1), None, ROWS)
    assert verdict.title == "no outage longer than 0.1 s"
    assert verdict.summary == (
        f"longest outage 0.200 s (at most 0.400 s) on stream kept via n1; limit 0.1 s; {text}"
    )
    assert verdict.evidence == Evidence(count=1, first=seen, worst=seen, last=seen)
    assert verdict.coverage == {"planned slots": 120, "streams": 1}
    assert verdict.figures == {"outage_at_least_s": 0.2, "outage_at_most_s": 0.4}


def test_degradation() -> None:
    text = "stream kept via n1 of load load-1 was below 90 % ok for 0.200 s (at most 3.000 s)"
    seen = witness(5, text, STREAM, "load-1")
    verdict = verdict_on(degradation(below=0.9, at_most_s=0.1), None, ROWS)
    assert verdict.title == "no more than 0.1 s below 90 % ok"
    assert verdict.summary == (
        f"longest degradation 0.200 s (at most 3.000 s) on stream kept via n1; limit 0.1 s; {text}"
    )
    assert verdict.evidence == Evidence(count=1, first=seen, worst=seen, last=seen)
    slots = {"planned slots": 120, "streams": 1, "windows": 12}
    assert verdict.coverage == {**slots, "degraded windows": 1}
    assert verdict.figures == {"degradation_at_least_s": 0.2, "degradation_at_most_s": 3.0}
    calm = verdict_on(degradation(below=0.5, at_most_s=1), None, ROWS)
    assert (calm.outcome, calm.summary) == (Outcome.HELD, "no second below 50 % ok")
    assert calm.coverage == {**slots, "degraded windows": 0}
    assert calm.figures == {"degradation_at_least_s": 0, "degradation_at_most_s": 0}


def test_traffic_split() -> None:
    meant = {"v1": 0.75, "v2": 0.2, "v3": 0.05}
    verdict = verdict_on(traffic_split(meant, connection="kept", tolerance=0), None, ROWS)
    assert verdict.outcome is Outcome.HELD
    assert verdict.title == (
        "answers split by revision: v1 75 %, v2 20 %, v3 5 % by connection kept"
    )
    assert verdict.summary == (
        "v1 gave 87 of 116 answers (75 %; 61.65 % to 85.67 % at 99 %), meant are 75 %;"
        " v2 gave 29 of 116 answers (25 %; 14.33 % to 38.35 % at 99 %), meant are 20 %;"
        " v3 gave 0 of 116 answers (0 %; 0 % to 5.365 % at 99 %), meant are 5 %"
    )
    answers = {"answers by connection kept": 116, "answers of v1": 87, "answers of v2": 29}
    assert verdict.coverage == answers
    assert verdict.figures == {
        **{"share_of_v1": 0.75, "share_of_v2": 0.25, "share_of_v3": 0.0},
        **{"share_of_v1_at_least": 0.616527658, "share_of_v1_at_most": 0.856700197},
        **{"share_of_v2_at_least": 0.143299803, "share_of_v2_at_most": 0.383472342},
        **{"share_of_v3_at_least": 0.0, "share_of_v3_at_most": 0.053652977},
    }
