"""The observer's own process: what it watches, and how it ends."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from chaoskit import clock
from chaoskit.errors import ClusterError
from chaoskit.history.events import AnyEvent, Note, WatchGap, WatchStarted
from chaoskit.history.folder import RecordFolder
from chaoskit.history.writer import EventWriter
from chaoskit.kube import observer, observing, watching
from chaoskit.kube.answers import Page
from chaoskit.kube.collection import Known
from chaoskit.kube.kinds import Object
from chaoskit.kube.observer import Observer
from chaoskit.kube.refusal import Call, Transient
from chaoskit.kube.watching import CollectionWatch
from chaoskit.waiting import wait_until
from tests.records import events_in


def orders(**changes: object) -> observing.Orders:
    whole = {
        "kubeconfig": "/absent",
        "context": None,
        "kinds": ["Pod", "Node", "Event"],
        "namespaces": ["shop"],
        "events_file": "/absent/events.ckl",
        "parent_pid": os.getpid(),
    }
    return msgspec.convert(whole | changes, observing.Orders)


def test_secrets_and_config_maps_are_never_watched() -> None:
    assert not {"Secret", "ConfigMap"} & set(observer.KINDS)


def test_nodes_are_watched_once_and_their_events_where_they_stand() -> None:
    assert observing.collections_of(orders(namespaces=["shop", "shop"])) == [
        ("Pod", "shop"),
        ("Node", None),
        ("Event", "shop"),
        ("Event", "default"),
    ]


def test_a_kind_is_complete_with_its_last_collection(tmp_path: Path) -> None:
    with EventWriter(tmp_path / "events-x.ckl") as writer:
        recorder = observing.Recorder(writer, {"Pod": 2, "Node": 1})
        recorder.first_listed("Pod", 10)
        recorder.first_listed("Node", 12)
        assert not recorder.synced.is_set()
        recorder.first_listed("Pod", 15)
        assert recorder.synced.is_set()
    started = [event for event in events_in(tmp_path) if isinstance(event, WatchStarted)]
    assert [(event.kind, event.resource_version) for event in started] == [
        ("Node", 12),
        ("Pod", 15),
    ]


def test_a_parent_that_is_gone_ends_it_at_once(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    line = msgspec.json.encode(orders(parent_pid=ended.pid))
    completed = subprocess.run(
        [sys.executable, "-m", "chaoskit.kube.observing", line],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (completed.returncode, completed.stdout) == (0, b"")


def test_an_observer_that_cannot_start_says_why_and_marks_the_record(tmp_path: Path) -> None:
    running = Observer.start(tmp_path / "absent", ["shop"], tmp_path, tmp_path / "observer.log")
    with pytest.raises(ClusterError, match="cannot be used"):
        running.wait_synced(30)
    wait_until(
        lambda: any(isinstance(event, Note) for event in events_in(tmp_path)),
        what="the observer's end in the record",
        timeout_s=10,
    )
    with pytest.raises(ClusterError, match="ended by itself"):
        running.stop()
    gaps = [event for event in events_in(tmp_path) if isinstance(event, WatchGap)]
    assert {gap.kind for gap in gaps} == set(observer.KINDS)
    assert all(gap.uids == ["*"] for gap in gaps)
    assert not running.is_alive


_FAILS = """
import sys
for state, time_ns in (("synced", 1), ("alive", 10_000_000_000), ("failed", 12_500_000_000)):
    print('{"state": "%s", "time_ns": %d, "text": ""}' % (state, time_ns), flush=True)
sys.exit(1)
"""


def test_an_observer_that_failed_saw_nothing_from_when_it_last_was_alive(tmp_path: Path) -> None:
    """It says so seconds later: a watch may have ended right after its last sign of life."""
    process = subprocess.Popen(
        [sys.executable, "-c", _FAILS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    running = Observer(process, ["Pod"], RecordFolder(tmp_path), tmp_path / "observer.log")
    wait_until(lambda: not running.is_alive, what="its end", timeout_s=30)
    with pytest.raises(ClusterError, match="ended by itself"):
        running.stop()
    first, _ = (event for event in events_in(tmp_path) if isinstance(event, WatchGap))
    assert first.since_ns <= 10_000_000_000


_BUSY_TO_THE_END = """
import sys, threading, time
from chaoskit.history.events import Note
from chaoskit.history.writer import EventWriter
from chaoskit.kube import observing

class Busy(observing.CollectionWatch):
    def run(self):
        while True:
            self._sink.append(Note(time_ns=1, source="busy", level="info", text=""))
            time.sleep(0.001)

class Closing(EventWriter):
    def close(self):
        super().close()
        for thread in threading.enumerate():
            if thread.name.startswith("watch "):
                thread.join()  # until it has met the closed file

observing.CollectionWatch, observing.EventWriter = Busy, Closing
sys.exit(observing.main())
"""

_KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
"""


def test_an_event_that_comes_while_its_file_is_closed_is_no_failure(tmp_path: Path) -> None:
    """A cluster is never still; an end in good order must not pass for the observer's death."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(_KUBECONFIG)
    given = orders(
        kubeconfig=str(kubeconfig),
        kinds=["Pod"],
        events_file=str(tmp_path / "events-observer.ckl"),
        measure_lag=False,
    )
    completed = subprocess.run(
        [sys.executable, "-c", _BUSY_TO_THE_END, msgspec.json.encode(given)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [msgspec.json.decode(line)["state"] for line in completed.stdout.splitlines()]
    assert (completed.returncode, said[-1]) == (0, "stopped"), completed


class Empty:
    """In place of a cluster: it has no objects, and tells nothing about Kubernetes."""

    def list_page(self, kind: str, namespace: str | None, *, revision: int | None = None) -> Page:
        return Page([], 7, None)


def test_a_gap_stays_open_until_it_is_written(tmp_path: Path) -> None:
    """Watching may end between the list that closes a gap and the gap's way into the record."""
    asked: list[WatchGap | None] = []

    class Sink:
        def append(self, event: AnyEvent) -> None:
            if isinstance(event, WatchGap):
                asked.append(watch.finish())

        def first_listed(self, kind: str, resource_version: int) -> None:
            """Not this time."""

    known = Known(versions={"u": 1}, resource_version=1, seen_ns=5)
    watch = CollectionWatch(cast(Any, Empty()), "Pod", "shop", Sink(), known)
    watch._list_again(known, "410 Gone")
    (gap,) = asked
    assert gap is not None
    assert (gap.kind, gap.since_ns, gap.uids) == ("Pod", 5, ["*"])
    assert watch.finish() is None


def test_what_was_read_late_is_known_as_of_its_list() -> None:
    """What comes while the storage is read is not known yet: a gap after it begins at the list."""
    told: list[AnyEvent] = []

    class Sink:
        def append(self, event: AnyEvent) -> None:
            told.append(event)

        def first_listed(self, kind: str, resource_version: int) -> None:
            """Not this time."""

    known = Known(resource_version=1, seen_ns=5)
    watch = CollectionWatch(cast(Any, Empty()), "Pod", "shop", Sink(), known)
    there = Known(resource_version=7, seen_ns=clock.now_ns() - 3_000_000_000)
    listed_ns = there.seen_ns
    watch._tell_late([], known, there, "410 Gone")
    assert there.seen_ns == listed_ns
    (note,) = told
    assert isinstance(note, Note)
    assert "resumed at resourceVersion 7" in note.text
    assert "0 changes were read from the storage, as 410 Gone" in note.text


class Listing:
    """In place of a cluster: gives lists, or refuses, and tells nothing about Kubernetes."""

    def __init__(self, *answers: Page | Transient) -> None:
        self._answers = list(answers)

    def list_page(self, kind: str, namespace: str | None, *, revision: int | None = None) -> Page:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Transient):
            raise answer
        return answer


def listed(*versions: tuple[str, int], at: int) -> Page:
    items: list[Object] = [
        {"metadata": {"uid": uid, "resourceVersion": str(version)}} for uid, version in versions
    ]
    return Page(items, at, None)


AWAY = Transient(Call("list", "Pod", "shop"), status=503, reason="", message="")


def watch_of(known: Known) -> CollectionWatch:
    return CollectionWatch(cast(Any, None), "Pod", "shop", cast(Any, None), known)


@pytest.mark.parametrize("before", [(), (AWAY,)])
def test_a_silent_watch_is_found_at_the_end(
    before: tuple[Transient, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_ON_ITS_WAY_NS", 10_000_000)
    watch = watch_of(Known({"same": 1, "changed": 2, "went": 3}, 3, seen_ns=5))
    page = listed(("same", 1), ("changed", 4), at=6)
    gap = watch.missed(cast(Any, Listing(*before, page)))
    assert gap is not None
    assert (gap.kind, gap.since_ns, gap.uids) == ("Pod", 5, ["changed", "went"])
    assert "was silent about" in gap.reason


def test_what_is_still_on_its_way_at_the_end_is_waited_for() -> None:
    known = Known({"a": 1}, 1, seen_ns=5)
    late = threading.Timer(0.3, lambda: known.versions.update(a=2))
    late.start()
    assert watch_of(known).missed(cast(Any, Listing(listed(("a", 2), at=2)))) is None
    late.join()
    assert known.versions == {"a": 2}


def test_what_cannot_be_listed_at_the_end_may_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_ASKED_FOR_NS", 10_000_000)
    gap = watch_of(Known({"a": 1}, 1, seen_ns=5)).missed(cast(Any, Listing(AWAY)))
    assert gap is not None
    assert (gap.since_ns, gap.uids) == (5, ["*"])
    assert "could not be listed at the end" in gap.reason
