"""What is on record in a folder, in the order in which it was written."""

from pathlib import Path

import msgspec

from chaoskit.history.events import AnyEvent
from chaoskit.history.folder import RecordFolder
from chaoskit.history.frames import FrameKind, read_frames
from chaoskit.history.writer import unpack_lines


def events_in(folder: Path) -> list[AnyEvent]:
    decoder = msgspec.json.Decoder(AnyEvent)
    return [
        decoder.decode(line)
        for path in RecordFolder(folder).events_files()
        for payload in read_frames(path).payloads(FrameKind.EVENTS)
        for line in unpack_lines(memoryview(payload))
    ]
