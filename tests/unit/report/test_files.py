"""The other reports: JUnit for CI, JSON for machines, Markdown for people, all at once."""

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from chaoskit.errors import UsageError
from chaoskit.report.json import RunReport, schema_text
from chaoskit.report.junit import JunitReport
from chaoskit.report.markdown import summary
from chaoskit.report.report import write_all
from chaoskit.report.stored import load_run
from tests.unit.report.synthetic import (
    run_info,
    verdict,
    write_record,
)

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "report.schema.json"


def junit(folder: Path) -> ET.Element:
    (path,) = JunitReport().write(load_run(folder), folder)
    return ET.parse(path).getroot()


def results(root: ET.Element) -> dict[tuple[str, str], str]:
    return {
        (case.get("classname", "").rpartition("::")[2], case.get("name", "")): (
            case[0].tag if len(case) and case[0].tag != "system-out" else "passed"
        )
        for case in root.iter("testcase")
    }


def test_junit_has_a_case_for_each_guarantee(run_folder: Path) -> None:
    root = junit(run_folder)
    member = "test_member_survives_nic_down"
    assert results(root) == {
        (member, "one_process_per_identity"): "failure",
        (member, "outage_during_nic_down"): "passed",
        (member, "availability_outside_nic_down"): "error",
        ("test_no_request_is_lost", "availability"): "passed",
        ("test_drain", "scenario"): "error",
        ("test_loss", "scenario"): "skipped",
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("6", "1", "2")
    properties = {p.get("name"): p.get("value") for p in root[0].iter("property")}
    assert properties["seed"] == "4711"
    assert properties["image"] == "chaoskit/node:1.36.0"
    assert properties["kubernetes version"] == "v1.36.0"


def test_junit_cases_of_one_name_are_numbered_and_control_characters_kept_out(
    tmp_path: Path,
) -> None:
    judged = [verdict("VIOLATED", "a\x00\x1b", "b\x07\ud800"[:2]), verdict("HELD", "a\x00\x1b", "")]
    write_record(tmp_path / "one", run_info("t", scenario="t.py::t\x01"), verdicts=judged)
    names = [name for _, name in results(junit(tmp_path))]
    assert len(names) == len(set(names)) == 2
    assert names[1].endswith("(2)")


def test_junit_names_are_the_same_in_every_run_and_the_claim_stands_beside_them(
    tmp_path: Path,
) -> None:
    names = []
    for node in ("chaoskit-1a2b-agent-0", "chaoskit-3c4d-agent-1"):
        judged = verdict("VIOLATED", "x", "late")
        judged = msgspec.structs.replace(
            judged, guarantee="node_not_ready_within", title=f"node {node} not ready within 23 s"
        )
        write_record(tmp_path / node, run_info("t"), verdicts=[judged])
        root = junit(tmp_path / node)
        names.append([name for _, name in results(root)])
        (case,) = root.iter("testcase")
        assert f"node {node} not ready within 23 s" in (case.findtext("system-out") or "")
        failure = case.find("failure")
        assert failure is not None
        assert node in failure.get("message", "")
    assert names == [["node_not_ready_within"]] * 2


def test_json_says_what_the_page_says(run_folder: Path) -> None:
    write_all(run_folder, only=["json"])
    report = msgspec.json.decode((run_folder / "report.json").read_bytes(), type=RunReport)
    assert report.outcome == "VIOLATED"
    assert report.counts == {"VIOLATED": 1, "UNKNOWN": 1, "HELD": 1, "NOT_RUN": 1}
    assert [s.outcome for s in report.scenarios] == ["VIOLATED", "HELD", "UNKNOWN", "NOT_RUN"]
    assert report.scenarios[0].verdicts[0].figures == {"overlap_s": 23.2, "allowed_s": 22.0}


def test_the_schema_in_the_docs_is_that_of_the_types() -> None:
    assert SCHEMA.read_text() == schema_text(), "write it anew with: chaoskit report --schema"


def test_markdown_names_what_did_not_hold(run_folder: Path) -> None:
    text = summary(load_run(run_folder))
    assert "1 violated, 1 unknown, 1 held, 1 not run" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 5
    assert "kv-1 had two processes for 23.2 s" in rows[1]
    assert all(line.count(" | ") == 3 for line in rows)


def test_markdown_says_since_when_and_how_to_repeat_what_did_not_hold(run_folder: Path) -> None:
    text = summary(load_run(run_folder))
    assert "<br>first after 42.8 s: 1aaa1111 on agent-1 and 1bbb2222 on agent-0" in text
    folded = text[text.index("<details>") : text.index("</details>")]
    commands = [line for line in folded.splitlines() if line.startswith("    ")]
    assert commands == ["    pytest scenarios/node -k nic_down --chaos-seed 4711"] * 2


def test_markdown_values_cannot_leave_their_cell(tmp_path: Path) -> None:
    evil = "a | b\n# c <b> `d` [e](f) @g"
    write_record(tmp_path / "one", run_info(evil), verdicts=[verdict("VIOLATED", evil, evil)])
    (row,) = [line for line in summary(load_run(tmp_path)).splitlines() if "violated |" in line]
    assert row.replace("\\|", "").count("|") == 5
    assert "<b>" not in row.replace("\\<", "")


def test_all_reports_are_written_beside_the_record_or_elsewhere(
    run_folder: Path, tmp_path: Path
) -> None:
    names = {path.name for path in write_all(run_folder, into=tmp_path / "new" / "folder")}
    assert names == {"report.html", "junit.xml", "report.json", "summary.md"}
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == names


def test_an_unknown_report_is_a_usage_error(run_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"pdf: there is no such report"):
        write_all(run_folder, only=["pdf"])


def test_reports_of_installed_packages_are_written_too(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "theirs-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: theirs\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[chaoskit.reports]\ncount = theirs:CountReport\n")
    (tmp_path / "site" / "theirs.py").write_text(
        "class CountReport:\n"
        "    name = 'count'\n"
        "    def write(self, run, into):\n"
        "        (into / 'count').write_text(str(len(run.scenarios)))\n"
        "        return [into / 'count']\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert run_folder / "count" in write_all(run_folder)
    assert (run_folder / "count").read_text() == "4"
