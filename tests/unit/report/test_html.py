"""The HTML report: whole, honest about damage, self-contained, escaped, and of bounded size."""

import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

from chaoskit.history.events import Note, Watched
from chaoskit.history.folder import RecordFolder
from chaoskit.history.session import write_session
from chaoskit.report.html import FILE_NAME, HtmlReport, aims_of, quantity
from chaoskit.report.stored import load_run
from tests.unit.report.many_requests import request_batch, write_request_batch
from tests.unit.report.scenes import (
    nic_down_events,
    nic_down_verdicts,
    session_of,
    write_run,
)
from tests.unit.report.synthetic import (
    Objects,
    at,
    run_info,
    verdict,
    write_record,
)

VOID = {"meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """The page's ids, links and tags; unbalanced tags are collected as faults."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def written(folder: Path) -> str:
    (path,) = HtmlReport().write(load_run(folder), folder)
    assert path == folder / FILE_NAME
    return path.read_text(encoding="utf-8")


def test_all_outcomes_reasons_and_figures_are_on_the_page(run_folder: Path) -> None:
    text = Page(written(run_folder)).text
    for expected in (
        "A member comes back after nic_down",
        "kv-1 had two processes for 23.2 s, allowed were 22.0 s.",
        "overlap 23.2 s",
        "seen: requests during nic down 1,260",
        "the cluster lacks the capability netem",
        "WaitTimeout: waited for node agent-0 to be empty",
        "a StatefulSet member whose node loses its network is replaced.",
        "pytest scenarios/node -k nic_down --chaos-seed 4711",
        "sha256:4be1c7",
        "2 at once, 23.2 s",
        "0 of 420 ok; 420 timeout",
    ):
        assert expected in text, expected


def test_the_page_is_well_formed_and_every_link_leads_somewhere(run_folder: Path) -> None:
    page = Page(written(run_folder))
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert [link for link in page.links if link[1:] not in page.ids] == []


def test_the_page_needs_nothing_from_elsewhere(run_folder: Path) -> None:
    text = written(run_folder)
    page = Page(text)
    assert "default-src 'none'" in text
    assert not {"link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert [name for name, _ in page.attributes if name in ("src", "srcset")] == []
    assert "@import" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == text.count("http-equiv")


def test_evidence_is_linked_to_its_moment(run_folder: Path) -> None:
    page = Page(written(run_folder))
    assert "s1-e1" in page.ids
    assert "#s1-e1" in page.links
    assert "only at 42.70 s: 1aaa1111 on agent-1" in page.text


def test_values_of_clusters_are_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&</title>"
    objects = Objects()
    objects.pod(1, evil, evil, ready=True, node=evil, revision=evil)
    objects.node(1, evil, "False")
    info = run_info(
        evil,
        scenario=evil,
        description=f"Goal: {evil}",
        cluster={evil: evil},
        command=evil,
        rows=[evil],
    )
    judged = verdict("VIOLATED", evil, evil, [(2, evil)], figures={evil: 1.5}, coverage={evil: 1})
    note = Note(time_ns=at(3), source=evil, level="error", text=evil)
    write_record(
        tmp_path / "one",
        info,
        events=[*objects.events, note],
        verdicts=[judged],
    )
    write_session(session_of(run_id=evil, command=evil, facts={evil: evil}), tmp_path)
    text = written(tmp_path)
    page = Page(text)
    assert "<script>alert" not in text
    assert page.tags.count("script") == 1
    assert page.faults == []
    assert page.open == []


def test_a_torn_record_is_drawn_as_far_as_it_goes_and_says_so(run_folder: Path) -> None:
    (path,) = (run_folder / "nic-down").glob("requests-*.ckl")
    path.write_bytes(path.read_bytes()[:-100])
    text = Page(written(run_folder)).text
    assert "The record is damaged: requests-load.ckl (requests, torn)" in text
    assert "new via agent-0" in text


def test_a_record_file_of_another_schema_says_so_and_others_are_drawn(run_folder: Path) -> None:
    (path,) = (run_folder / "nic-down").glob("events-*.ckl")
    data = bytearray(path.read_bytes())
    data[16] = 99
    path.write_bytes(bytes(data))
    page = Page(written(run_folder))
    assert "could not be read, so nothing is drawn" in page.text
    assert "schema version 99" in page.text
    assert "kv-1 had two processes for 23.2 s" in page.text
    assert "web-8b-0" in page.text
    assert [link for link in page.links if link[1:] not in page.ids] == []


def test_an_object_of_a_strange_shape_costs_only_its_own_chart(run_folder: Path) -> None:
    strange = Watched(
        time_ns=at(1),
        kind="Pod",
        change="ADDED",
        uid="u",
        namespace="n",
        name="p",
        resource_version=1,
        object={"metadata": {"labels": 3}, "status": {"conditions": 7}},
    )
    write_record(
        run_folder / "strange", run_info("strange"), events=[strange], verdicts=nic_down_verdicts()
    )
    page = Page(written(run_folder))
    assert "The record could not be drawn: TypeError" in page.text
    assert "2 at once, 23.2 s" in page.text
    assert [link for link in page.links if link[1:] not in page.ids] == []


def test_an_empty_record_says_that_there_is_nothing(tmp_path: Path) -> None:
    write_record(tmp_path / "one", run_info("one"), verdicts=[])
    text = Page(written(tmp_path)).text
    assert "The record is empty" in text
    assert "it asked for no guarantee" in text


def test_a_record_file_without_a_single_byte_is_no_crash(tmp_path: Path) -> None:
    record = write_record(tmp_path / "one", run_info("one"), events=nic_down_events())
    record.new_requests_file("sampler").write_bytes(b"")
    assert "its header is torn" in Page(written(tmp_path)).text


def test_many_scenarios_that_held_are_folded_and_others_are_not(tmp_path: Path) -> None:
    write_run(tmp_path)
    for number in range(3):
        info = run_info(f"more {number}")
        write_record(tmp_path / f"more-{number}", info, verdicts=[verdict("HELD", "a", "b")])
    text = written(tmp_path)
    assert text.count("<details open>") == 2
    assert text.count("<details>") == 4


@pytest.mark.parametrize("count", [20_000, 1_000_000])
def test_size_does_not_follow_the_requests(tmp_path: Path, count: int) -> None:
    info = run_info("many")
    record: RecordFolder = write_record(tmp_path / "one", info, verdicts=nic_down_verdicts())
    write_request_batch(record.new_requests_file("driver"), request_batch(count))
    size = len(written(tmp_path).encode())
    assert 60_000 < size < 600_000


def test_aims_are_read_from_a_docstring() -> None:
    lead, aims = aims_of(
        "Title.\n\nMore of\nit.\n\nGoal: one\n  line two.\nMethod: m\n\nExpectation: e"
    )
    assert lead == ("Title.", "More of it.")
    assert aims == (("Goal", "one line two."), ("Method", "m"), ("Expectation", "e"))


@pytest.mark.parametrize(
    "name, value, shown",
    [
        ("overlap_s", 23.2, ("overlap", "23.2 s")),
        ("rate_per_s", 200.0, ("rate", "200/s")),
        ("p99_ms", 1234.56, ("p99", "1235 ms")),
        ("ratio", 0.99953, ("ratio", "0.9995")),
        ("requests", 1e6, ("requests", "1,000,000")),
    ],
)
def test_figures_are_shown_with_the_unit_in_their_name(
    name: str, value: float, shown: tuple[str, str]
) -> None:
    assert quantity((name, value)) == shown


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6});", css))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_word_has_contrast_enough_to_read(theme: str) -> None:
    """WCAG 2 AA: 4.5 for text, 3 for the shapes that carry meaning."""
    css = resources.files("chaoskit.report").joinpath("templates", "style.css").read_text()
    light, _, rest = css.partition("@media (prefers-color-scheme: dark)")
    known = tokens(light) | (tokens(rest.partition("\n}\n")[0]) if theme == "dark" else {})
    words = ("ink", "soft", "link", "held", "violated", "unknown", "not_run")
    for word in (*words, "fault-word", "r0-word", "r4-word"):
        assert contrast(known[word], known["paper"]) >= 4.5, word
        assert contrast(known[word], known["page"]) >= 4.5, word
    for outcome in ("held", "violated", "unknown", "not_run"):
        assert contrast(known[outcome], known[f"{outcome}-wash"]) >= 4.5, outcome
    for shape in ("r0", "r1", "r2", "r3", "r4", "r5", "bad", "dead", "fault", "edge"):
        assert contrast(known[shape], known["paper"]) >= 3, shape
