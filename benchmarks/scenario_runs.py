"""Every run of every scenario that was kept, and what they say together:
`python -m benchmarks.scenario_runs [SESSION …]`.

A session is the folder that pytest names at its end. Its scenarios are added, once, to
`docs/results/scenario-runs.jsonl`, which is committed, so that counts go on growing on the next
machine; then `docs/results/scenario-runs.md` is written anew, and the catalogue.
"""

import argparse
import datetime
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from chaoskit.cluster.profiles import FAST
from chaoskit.errors import ChaoskitError
from chaoskit.guarantees.proportions import upper_bound
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from chaoskit.history.tables import Missing, Numbers
from chaoskit.report.stored import StoredRun, StoredScenario, load_run

RUNS = Path("docs/results/scenario-runs.jsonl")
PAGE = RUNS.with_suffix(".md")
_FOLDERS = re.compile(r"(?<!\S)/(?:[^\s/]+/)+")


class ScenarioRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of one scenario. `requests` and `not_ok` count all loads; `outage_s` is
    the longest time that a stream was without an ok.

    `commit` was checked out when the run was added; `why` names what was not HELD; `profile` is
    how fast the cluster gave nodes up.
    """

    run_id: str
    commit: str
    day: str
    nodeid: str
    rows: list[str]
    outcome: str
    why: str = ""
    wall_s: float
    requests: int = 0
    not_ok: int = 0
    outage_s: float | None = None
    kubernetes: str = ""
    profile: str = FAST.name


def kept() -> list[ScenarioRun]:
    """All runs so far, in the order in which they were added."""
    if not RUNS.exists():
        return []
    decoder = msgspec.json.Decoder(ScenarioRun)
    return [decoder.decode(line) for line in RUNS.read_bytes().splitlines()]


def add(folders: Iterable[Path]) -> int:
    """Add the sessions in these folders that are not there yet; how many runs came new."""
    known = {(run.run_id, run.nodeid) for run in kept()}
    new = [run for folder in folders for run in _of_session(load_run(folder))]
    new = [run for run in new if (run.run_id, run.nodeid) not in known]
    with RUNS.open("ab") as file:
        file.write(b"".join(msgspec.json.encode(run) + b"\n" for run in new))
    return len(new)


def _of_session(run: StoredRun) -> Iterable[ScenarioRun]:
    wall_ns = run.session.started_wall_ns if run.session else 0
    day = datetime.datetime.fromtimestamp(wall_ns / 1e9, datetime.UTC).date().isoformat()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for scenario in run.scenarios:
        if scenario.outcome != "NOT_RUN":
            requests, not_ok, outage_s = _requests(scenario)
            yield ScenarioRun(
                run_id=run.run_id,
                commit=commit,
                day=day,
                nodeid=scenario.nodeid,
                rows=list(scenario.rows),
                outcome=scenario.outcome,
                why=_why(scenario),
                wall_s=round(scenario.wall_s, 1),
                requests=requests,
                not_ok=not_ok,
                outage_s=outage_s,
                kubernetes=scenario.info.cluster.get("kubernetes", "") if scenario.info else "",
                profile=(scenario.info.profile if scenario.info else "") or FAST.name,
            )


def _requests(scenario: StoredScenario) -> tuple[int, int, float | None]:
    """How many, how many not ok, and the longest run of one stream without an ok, in seconds."""
    if scenario.folder is None:
        return 0, 0, None
    try:
        history = History.open(scenario.folder)
        outcomes, streams = history.texts("outcome"), history.texts("stream")
        planned_ns = history.numbers("planned_ns")
    except ChaoskitError:  # its outcome is UNKNOWN, and says why
        return 0, 0, None
    ok = np.array([value == "ok" for value in outcomes.values], dtype=bool)[outcomes.codes]
    longest_ns = 0
    for code in range(len(streams.values)):
        mine = streams.codes == code
        longest_ns = max(longest_ns, _longest_ns(planned_ns[mine], ok[mine]))
    return len(ok), int((~ok).sum()), round(longest_ns / 1e9, 2) if len(ok) else None


def _longest_ns(planned_ns: Numbers, ok: Missing) -> int:
    """From the first slot that was not ok to the next ok, or to the last slot."""
    edges = np.diff(np.concatenate(([True], ok, [True])).astype(np.int8))
    begins, ends = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    if not len(begins):
        return 0
    until = planned_ns[np.minimum(ends, len(planned_ns) - 1)]
    return int((until - planned_ns[begins]).max())


def _why(scenario: StoredScenario) -> str:
    if scenario.outcome == "HELD":
        return ""
    missed = [
        f"{it.title}: {it.summary}" for it in scenario.verdicts if it.outcome is not Outcome.HELD
    ]
    # Where the record lay on that machine says nothing here.
    return _FOLDERS.sub("", "; ".join(missed) or scenario.reason)


def write_page() -> None:
    """Write the page of all runs that are kept, and the catalogue, which quotes the last."""
    PAGE.write_text(page(kept()))
    subprocess.run([sys.executable, "-m", "docs.generate_reference"], check=True)


def page(runs: Sequence[ScenarioRun]) -> str:
    """Scenario by scenario: how often it held, and the figures of its last run."""
    of_scenario: dict[str, list[ScenarioRun]] = defaultdict(list)
    for run in runs:
        of_scenario[_name(run)].append(run)
    held = sum(run.outcome == "HELD" for run in runs)
    lines = [
        "# Every run of the scenarios",
        "",
        f"{len(runs)} runs of {len(of_scenario)} scenarios: {held} HELD. A scenario that does not "
        "end as it did before has flipped; the bound is the one-sided one of Clopper and Pearson, "
        "at 95 %, for the share of runs that are not HELD. The wall time is a mean; in runs of "
        "several workers until 2026-11-26 it has the wait for the cluster in it. The runs are in "
        "scenario-runs.jsonl beside this page; `python -m benchmarks.scenario_runs SESSION` adds "
        "those of a session.",
        "",
        "| row | scenario | runs | HELD | VIOLATED | UNKNOWN | not HELD, at most | wall, s "
        "| requests | not ok | outage, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    missed = []
    for name, each in sorted(of_scenario.items(), key=lambda item: (item[1][-1].rows, item[0])):
        lines.append(_line(name, each))
        missed += [f"- {run.day} {name}: {run.outcome}: {run.why}" for run in each if run.why]
    if missed:
        lines += ["", "## What was not HELD", "", *missed]
    return "\n".join(lines) + "\n"


def _line(name: str, runs: Sequence[ScenarioRun]) -> str:
    last = runs[-1]
    count = {outcome.value: sum(it.outcome == outcome for it in runs) for outcome in Outcome}
    most = upper_bound(len(runs) - count["HELD"], len(runs))
    mean_s = sum(it.wall_s for it in runs) / len(runs)
    outage = "" if last.outage_s is None else f"{last.outage_s:.1f}"
    return (
        f"| {', '.join(last.rows)} | {name} | {len(runs)} | {count['HELD']} "
        f"| {count['VIOLATED']} | {count['UNKNOWN']} | {most:.0%} | {mean_s:.1f} "
        f"| {last.requests} | {last.not_ok} | {outage} |"
    )


def _name(run: ScenarioRun) -> str:
    """The scenario, and the profile where it is not the usual one: other bounds, other figures."""
    short = f"`{run.nodeid.removeprefix('scenarios/')}`"
    return short if run.profile == FAST.name else f"{short}, profile {run.profile}"


def main() -> None:
    """Add the sessions named, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sessions", nargs="*", type=Path, metavar="SESSION")
    arguments = parser.parse_args()
    added = add(arguments.sessions)
    write_page()
    print(f"{added} runs added: {PAGE}")


if __name__ == "__main__":
    main()
