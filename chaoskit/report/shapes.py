"""Shapes: what the chart's template draws. Places are pixels, relative to the lane's top."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle; `kind` is its style class, `title` is shown on hover, `text` inside.

    `tight`: the text does not fit, unless a person zooms in. `true_width`: how wide it would be,
    where it is drawn wider to be seen at all.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str = ""
    text: str = ""
    tight: bool = False
    true_width: float | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A small symbol at a moment."""

    x: float
    y: float
    shape: str  # "down", "up", "dot", "cross", "diamond", "start", "stop"
    kind: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A path."""

    path: str
    kind: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A word in a lane; `anchor` and `dx` as in SVG. One of the kind `scale` stands outside time.

    `sticks`: it stays in sight as long as the box before it does.
    """

    x: float
    y: float
    text: str
    kind: str = "small"
    anchor: str = "start"
    dx: float = 0.0
    sticks: bool = False


Shape = Box | Mark | Curve | Text


@dataclass(kw_only=True)
class Lane:
    """One row of the chart. `group` is the heading it stands under, `y` is set when stacked.

    `legend`: words below the heading of a tall lane, each with the style class of its curve.
    """

    group: str
    label: str
    height: float
    shapes: list[Shape] = field(default_factory=list)
    title: str = ""
    note: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    label_y: float = 10.0
    y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Shade:
    """A fault's window behind all lanes; `end_open` when it was not healed in the record."""

    x: float
    width: float
    text: str
    title: str
    end_open: bool


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A piece of evidence on the time axis, the target of a verdict's link."""

    anchor: str
    number: int
    x: float
    level: int
    kind: str
    title: str


def shorten(text: str, length: int) -> str:
    """The text itself, or its two ends around an ellipsis."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[-(length - 1 - head) :]}"
