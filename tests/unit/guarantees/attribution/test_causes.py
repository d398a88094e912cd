"""attribution as a table: every failure once, each by itself."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees.attribution import UNATTRIBUTED
from chaoskit.guarantees.attribution.touched import touched_sets
from chaoskit.history.events import PhaseMark, StepMark
from chaoskit.history.requests import RequestRow
from tests.corpus.attribution import asked, failing, web, web_pod
from tests.corpus.examples import examples
from tests.corpus.mishaps import emptied, evicted, hanging, joined, leaving, unready
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.unit.guarantees.attribution.attributed import causes_of


def test_a_slot_that_found_no_room_is_put_down_to_what_filled_it() -> None:
    story = web().fault("nic_down", "n2", 8, 9)
    hung = failing(asked(), 13, error="timeout/wait", took_s=4)
    behind = failing(hung, 15, error="in_flight_limit", outcome="unsent")
    table = causes_of(story, behind)
    assert table.counts() == {"fault_in_effect": 1, "behind_failed_requests": 1}
    assert table.layer_of(1) == "driver"
    for free_s in (5, 18):
        free = failing(hung, free_s, error="in_flight_limit", outcome="unsent")
        assert causes_of(story, free).counts() == {"fault_in_effect": 1, UNATTRIBUTED: 1}
    other = failing(asked(load="load-2"), 15, error="in_flight_limit", outcome="unsent")
    both = sorted([*hung, *other], key=lambda row: row.planned_ns)
    assert causes_of(story, both).counts() == {"fault_in_effect": 1, UNATTRIBUTED: 1}


def test_the_sampler_and_control_streams_are_not_the_loads() -> None:
    rows = [
        *failing([row._replace(stream="sampler new via n1") for row in asked()], 10),
        *failing([row._replace(stream="control new") for row in asked()], 12),
    ]
    table = causes_of(web(), rows)
    assert len(table) == table.total == 0


def test_each_failure_names_the_parts_of_the_run_it_fell_in() -> None:
    story = web().fault("nic_down", "n2", 8, 12).step("delete", "Pod web-2", 9.5, took_s=1)
    story.events += [
        PhaseMark(time_ns=at(9), phase="cut", mark="begin"),
        PhaseMark(time_ns=at(20), phase="cut", mark="end"),
    ]
    table = causes_of(story, failing(failing(asked(), 10), 25))
    fault, step = "fault nic_down on n2", "step delete of Pod web-2"
    assert table.parts_of(0) == (fault, "phase cut", step)
    assert table.parts_of(1) == ()
    assert table.describe(0) == (
        "refused/connect on stream new via n1 of load load-1 to one of 3 (web-1 (revision 5d4f),"
        " web-2 (revision 5d4f), web-3 (revision 5d4f)), in fault nic_down on n2, phase cut,"
        " step delete of Pod web-2: fault_in_effect, nic_down on n2"
    )
    assert table.describe(1).endswith("in no named part of the run: unattributed")


def test_a_record_that_contradicts_itself_is_an_error() -> None:
    rows = failing(asked(), 10)
    headless_pod = web().watched(3, "Pod", web_pod("web-2"))
    del headless_pod.events[-1].object["metadata"]  # type: ignore[union-attr]
    ended = web()
    ended.events.append(PhaseMark(time_ns=at(4), phase="cut", mark="end"))
    done = web()
    done.events.append(StepMark(time_ns=at(4), step_id="s", name="x", target="Pod y", mark="done"))
    for story in (headless_pod, ended, done):
        with pytest.raises(RecordError):
            causes_of(story, rows)


def cut(story: Story) -> Story:
    return story.fault("nic_down", "n1", 8, 12)


MISHAPS = [cut, emptied, evicted, hanging, joined, leaving, unready]
CLASSES = ["refused/connect", "timeout/connect", "reset/wait", "timeout/wait", "status 503"]
failures = st.lists(
    st.tuples(st.integers(0, 598), st.sampled_from(CLASSES), st.sampled_from([0.005, 2.0])),
    min_size=2,
    max_size=6,
    unique_by=lambda failure: failure[0],
)


def planted(found: Sequence[tuple[int, str, float]], connection: str) -> list[RequestRow]:
    rows = asked(connection=connection)
    for slot, error, took_s in found:
        rows = failing(rows, slot / 20 - 0.001, slot / 20 + 0.001, error, took_s=took_s)
    return rows


@examples(25)
@given(
    found=failures,
    befallen=st.lists(st.sampled_from(MISHAPS), max_size=3, unique_by=id),
    connection=st.sampled_from(["new", "kept"]),
)
def test_a_failures_cause_does_not_hang_on_the_other_failures(
    found: list[tuple[int, str, float]], befallen: list[Callable[[Story], Story]], connection: str
) -> None:
    story = web()
    for befall in befallen:
        befall(story)
    together = causes_of(story, planted(found, connection))
    for place, one in enumerate(sorted(found)):
        alone = causes_of(story, planted([one], connection))
        assert together.causes[together.cause[place]] == alone.causes[alone.cause[0]]
        explanation = together.explanation_of(place)
        if explanation is not None:
            start_ns, end_ns = explanation.span
            assert together.failures.planned_ns[place] <= end_ns
            assert together.failures.end_ns[place] >= start_ns
        assert together.describe(place).endswith(alone.describe(0)[-40:])


spans = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair)))


@given(few=st.lists(spans, max_size=6), many=st.lists(spans, min_size=1, max_size=40))
def test_touched_sets_agree_with_looking_at_each_pair(
    few: list[tuple[int, int]], many: list[tuple[int, int]]
) -> None:
    start, end = np.array(many, dtype=np.int64).T
    codes, sets = touched_sets(few, start, end)
    assert len(set(sets)) == len(sets)
    for code, (first, last) in zip(codes.tolist(), many, strict=True):
        touched = [n for n, (a, b) in enumerate(few) if a <= last and b >= first]
        assert list(sets[code]) == touched
