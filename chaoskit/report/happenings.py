"""What happened in a run, one line each: what a person would want to read around a moment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chaoskit.history import events as e
from chaoskit.history.reader import History
from chaoskit.report import objects
from chaoskit.report.endpoints import endpoint_spans
from chaoskit.report.rollouts import rollout_spans
from chaoskit.report.spans import Span

_MESSAGE_LENGTH = 240


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something at a moment; `kind` says of what sort it is, in one word."""

    time_ns: int
    kind: str
    text: str


def happenings(history: History, end_ns: int) -> list[Happening]:
    """All of them, by time. Raises `RecordError` for an object without metadata."""
    found = [
        *_marks(history),
        *_changes("node", objects.node_spans(history.of(e.Watched), end_ns)),
        *_changes("pod", objects.pod_spans(history.of(e.Watched), end_ns), first=True),
        *_changes("endpoints", endpoint_spans(history, end_ns)),
        *_changes("rollout", rollout_spans(history.of(e.Watched), end_ns)),
        *_warnings(history.of(e.Watched)),
        *_of_the_record(history),
    ]
    return sorted(found, key=lambda one: one.time_ns)


def _marks(history: History) -> Iterator[Happening]:
    seen: set[tuple[str, str]] = set()
    for fault in history.of(e.FaultMark):
        # Measured at 1 Hz or more: only the first measurement of each kind is news.
        if fault.mark in ("effective", "ineffective") and (fault.fault_id, fault.mark) in seen:
            continue
        seen.add((fault.fault_id, fault.mark))
        words = f"{fault.name} on {fault.target}: {fault.mark.replace('_', ' ')}"
        yield Happening(time_ns=fault.time_ns, kind="fault", text=_with(words, fault.detail))
    for step in history.of(e.StepMark):
        words = f"{step.name}{' (forced)' if step.force else ''} of {step.target} {step.mark}"
        yield Happening(time_ns=step.time_ns, kind="step", text=_with(words, step.detail))
    for phase in history.of(e.PhaseMark):
        words = f"phase {phase.phase} {'begins' if phase.mark == 'begin' else 'ends'}"
        yield Happening(time_ns=phase.time_ns, kind="phase", text=words)
    for load in history.of(e.LoadMark):
        words = f"load {load.load_id} {load.mark}, {load.rate_per_s:g} requests/s"
        yield Happening(time_ns=load.time_ns, kind="load", text=_with(words, load.detail))


def _changes(
    kind: str, by_name: dict[str, list[Span]], *, first: bool = False
) -> Iterator[Happening]:
    """What came after another state; with `first` also how an object began."""
    for spans in by_name.values():
        if first and spans:
            yield Happening(time_ns=spans[0].start_ns, kind=kind, text=spans[0].title)
        for span in spans[1:]:
            yield Happening(time_ns=span.start_ns, kind=kind, text=span.title)
        for span in spans:
            if kind == "pod" and not span.open_end and span is _last_of(spans, span.owner):
                name = span.title.partition(" ")[0]
                gone = f"{name} is gone, UID {span.owner[:8]}"
                yield Happening(time_ns=span.end_ns, kind=kind, text=gone)


def _last_of(spans: Iterable[Span], owner: str) -> Span:
    return [span for span in spans if span.owner == owner][-1]


def _warnings(watched: Iterable[e.Watched]) -> Iterator[Happening]:
    """Kubernetes' own events of the type Warning: who, reason and message."""
    for event in watched:
        if event.kind != "Event" or event.change not in ("ADDED", "MODIFIED"):
            continue
        thing = event.object
        if thing.get("type") != "Warning":
            continue
        about = thing.get("involvedObject") or thing.get("regarding") or {}
        message = thing.get("message") or thing.get("note") or ""
        words = f"{about.get('kind', 'object')} {about.get('name', '')}: {thing.get('reason', '')}"
        yield Happening(time_ns=event.time_ns, kind="warning", text=_with(words, str(message)))


def _of_the_record(history: History) -> Iterator[Happening]:
    for note in history.of(e.Note):
        if note.level != "info":
            words = f"{note.level} of {note.source}: {note.text}"
            yield Happening(time_ns=note.time_ns, kind="note", text=words)
    for gap in history.of(e.WatchGap):
        words = f"the watch of {gap.kind}s was interrupted ({gap.reason})"
        yield Happening(time_ns=gap.since_ns, kind="record", text=words)
    for part in history.damage:
        words = f"from here on {part.holds} may be missing: {part.file}, {part.detail}"
        yield Happening(time_ns=part.since_ns, kind="record", text=words)


def _with(words: str, detail: str) -> str:
    short = " ".join(detail.split())
    if len(short) > _MESSAGE_LENGTH:
        short = short[:_MESSAGE_LENGTH] + "…"
    return f"{words}: {short}" if short else words
