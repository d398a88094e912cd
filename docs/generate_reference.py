"""Writes what docs/reference says of code, from the code: `python -m docs.generate_reference`.

A test compares the pages with what this makes, so they cannot fall behind.
"""

import inspect
import re
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from chaoskit.guarantees import judge
from chaoskit.history import SCHEMA_VERSION, events, folder
from chaoskit.history.requests import COLUMNS
from docs.catalogue_page import catalogue, faults

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Each generated page by its file name."""
    return {
        "record.md": _record(),
        "guarantees.md": _guarantees(),
        "catalogue.md": catalogue(),
        "faults.md": faults(),
    }


def main() -> None:
    """Write them all."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


def _record() -> str:
    lines = [
        f"# The record (schema version {SCHEMA_VERSION})",
        "",
        "One folder a run. `run.json` says what ran, `guarantees.json` what was claimed, "
        "`verdicts.json` how it was judged; each is readable alone. `events-*.ckl` and "
        "`requests-*.ckl` hold the rest, one file for each writing process.",
        "",
        "Times are CLOCK_MONOTONIC in nanoseconds, comparable within one boot (`boot_id`).",
        "",
        "## Record files",
        "",
        "A file begins with the 16 bytes `chaoskit-record\\n` and the schema version (u32). Frames "
        "follow, each written at once and at least once a second: marker, kind (u8), length of the "
        "payload (u32), earliest moment in it (i64), moment of sealing (i64), CRC-32 of the "
        "payload, CRC-32 of this header, payload; all little-endian. Kinds: 1 events (JSON lines, "
        "zstd, behind their length), 2 requests (an Arrow IPC stream, zstd), 3 nothing (the writer "
        "lives), 4 the end. A torn tail is dropped and marked; a frame whose checksum is wrong is "
        "stepped over and marked.",
        "",
        "## Requests",
        "",
        "| column | type | always | meaning |",
        "|---|---|---|---|",
    ]
    for column in COLUMNS:
        kind = "text" if str(column.type).startswith("dictionary") else str(column.type)
        always = "yes" if column.required else ""
        lines.append(f"| {column.name} | {kind} | {always} | {column.meaning} |")
    lines += ["", "## Events", "", "Every event has `type` (its tag) and `time_ns`."]
    for kind in typing.get_args(events.AnyEvent):
        lines += _struct(kind, title=kind.__struct_config__.tag)
    lines += ["", "## JSON files"]
    lines += _struct(folder.RunInfo, title="run.json")
    lines += _struct(folder.GuaranteeSpec, title="guarantees.json (a list of)")
    lines += _struct(judge.Judgement, title="verdicts.json")
    return "\n".join(lines) + "\n"


def _struct(kind: type[msgspec.Struct], *, title: str) -> list[str]:
    lines = ["", f"### {title}", "", *_paragraphs(kind), ""]
    lines += _table(each for each in msgspec.structs.fields(kind) if each.name != "time_ns")
    for part in _parts(kind):
        lines += ["", f"`{part.__name__}`: {' '.join(filter(None, _paragraphs(part)))}", ""]
        lines += _table(msgspec.structs.fields(part))
    return lines


def _table(fields: Iterable[msgspec.structs.FieldInfo]) -> list[str]:
    rows = [f"| {field.encode_name} | {_type(field.type)} |" for field in fields]
    return ["| field | type |", "|---|---|", *rows]


def _parts(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The structures that its fields hold, and those that these hold, each once."""
    found: list[type[msgspec.Struct]] = []
    asked = [field.type for field in msgspec.structs.fields(kind)]
    while asked:
        each = asked.pop(0)
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            if each not in found:
                found.append(each)
                asked += [field.type for field in msgspec.structs.fields(each)]
        else:
            asked += typing.get_args(each)
    return found


def _guarantees() -> str:
    lines = [
        "# Guarantees",
        "",
        "Each is a pure function of the record. A verdict is HELD, VIOLATED or UNKNOWN; an empty "
        "record makes every one UNKNOWN.",
    ]
    for kind in sorted(judge.OWN, key=lambda each: each.name):
        lines += ["", f"## {kind.name} (version {kind.version})", "", *_paragraphs(kind)]
        known = inspect.signature(kind).parameters
        own = inspect.get_annotations(kind)  # before what it inherits: the ways to choose requests
        names = [name for name in dict.fromkeys((*own, *known)) if name in known]
        if names:
            lines += ["", f"Parameters: {', '.join(f'`{name}`' for name in names)}."]
    return "\n".join(lines) + "\n"


def _paragraphs(kind: type[Any]) -> Iterable[str]:
    return inspect.cleandoc(kind.__doc__ or "").splitlines()


def _type(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text).replace("|", "\\|")


if __name__ == "__main__":
    main()
