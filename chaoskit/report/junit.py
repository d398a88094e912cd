"""The report for CI: JUnit XML with one test case per guarantee.

VIOLATED is a failure, UNKNOWN an error, a scenario that was not run is skipped with its reason. A
case has the guarantee's name, the same in every run, so that CI can follow it; what it claimed in
this run (names of nodes, bounds of the profile) stands in the case's output.
"""

import re
from pathlib import Path
from typing import Any

import junitparser

from chaoskit.guarantees.verdict import Outcome, Verdict, Witness
from chaoskit.report.comparison import numbered_verdicts
from chaoskit.report.stored import StoredRun, StoredScenario

FILE_NAME = "junit.xml"
#: The case that stands for the scenario itself, where it has more to say than its guarantees.
SCENARIO_CASE = "scenario"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JunitReport:
    """Writes `junit.xml`."""

    name = "junit"

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        document: Any = junitparser.JUnitXml(run.run_id)
        for scenario in run.scenarios:
            document.add_testsuite(_suite(run, scenario))
        document.update_statistics()
        path = into / FILE_NAME
        document.write(str(path), pretty=True)
        return [path]


def _suite(run: StoredRun, scenario: StoredScenario) -> junitparser.TestSuite:
    suite = junitparser.TestSuite(_clean(scenario.nodeid))
    for name, value in _properties(run, scenario).items():
        suite.add_property(_clean(name), _clean(value))
    named = numbered_verdicts(scenario.verdicts)
    cases = [_case(name, verdict, scenario) for name, verdict in named.items()]
    own = _scenario_case(scenario)
    if own is not None:
        cases.append(own)
    cases[0].time = scenario.wall_s  # the scenario's time stands once, on its first case
    for case in cases:
        suite.add_testcase(case)
    return suite


def _properties(run: StoredRun, scenario: StoredScenario) -> dict[str, str]:
    facts = {"run": run.run_id, "rows": " ".join(scenario.rows)}
    if run.session is not None:
        facts |= {"seed": str(run.session.seed), **run.session.facts}
    if scenario.info is not None:
        info = scenario.info
        facts |= {
            "seed": str(info.seed),
            "profile": info.profile,
            "chaoskit": info.chaoskit_version,
            "repeat": info.command,
            **info.cluster,
        }
    return {name: value for name, value in facts.items() if value}


def _case(name: str, verdict: Verdict, scenario: StoredScenario) -> junitparser.TestCase:
    case = junitparser.TestCase(_clean(name), classname=_clean(scenario.nodeid))
    kinds = {Outcome.VIOLATED: junitparser.Failure, Outcome.UNKNOWN: junitparser.Error}
    if verdict.outcome in kinds:
        result = kinds[verdict.outcome](
            _clean(f"{verdict.title}: {verdict.summary}"), verdict.outcome.value
        )
        result.text = _clean(_details(verdict))
        case.result = [result]
    case.system_out = _clean(f"{verdict.outcome.value}: {verdict.title}\n{verdict.summary}")
    return case


def _details(verdict: Verdict) -> str:
    lines = [f"{verdict.title}: {verdict.summary}"]
    for role in ("first", "worst", "last"):
        witness: Witness | None = getattr(verdict.evidence, role)
        if witness is not None:
            lines.append(f"{role}, at {witness.time_ns} ns: {witness.text}")
    lines += [f"{name}: {value:g}" for name, value in verdict.figures.items()]
    lines += [f"seen, {name}: {value}" for name, value in verdict.coverage.items()]
    return "\n".join(lines)


def _scenario_case(scenario: StoredScenario) -> junitparser.TestCase | None:
    """None where the guarantees' cases say it all."""
    if scenario.judged == scenario.outcome:
        return None
    case = junitparser.TestCase(SCENARIO_CASE, classname=_clean(scenario.nodeid))
    reason = _clean(scenario.reason or "no reason was recorded")
    if scenario.outcome == "NOT_RUN":
        case.result = [junitparser.Skipped(reason)]
    elif scenario.outcome == "VIOLATED":
        case.result = [junitparser.Failure(reason, scenario.outcome)]
    elif scenario.outcome == "UNKNOWN":
        case.result = [junitparser.Error(reason, scenario.outcome)]
    return case


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
