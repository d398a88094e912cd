"""Times of hand-made histories: seconds of the story into nanoseconds of the record."""

START_NS = 1_000_000_000_000
WALL_START_NS = 1_700_000_000_000_000_000


def at(seconds: float) -> int:
    """The moment so many seconds into the story."""
    return START_NS + round(seconds * 1e9)
