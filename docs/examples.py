"""The examples of the documentation: its code blocks and commands, as its readers meet them.

Read by the very parser that makes the pages. A block whose first line is a comment with a file's
name is that whole file; every other one is a fragment, shown without what is around it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
_OUTSIDE = ("README.md", "CONTRIBUTING.md", "scenarios/README.md")
_FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A code block: its page, the line of the page on which its text begins, and its language."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file_name(self) -> str | None:
        """The file that it is the whole of; None for a fragment."""
        match = _FILE_NAME.match(self.text)
        return match[1] if match else None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class InlineCode:
    """What stands between backticks, and the first line of its paragraph."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page that users and contributors read, generated ones too; not the changelog."""
    return [*(ROOT / name for name in _OUTSIDE), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    return [
        Block(
            page=page,
            line=token.map[0] + 2,
            language=token.info.split(" ")[0],
            text=token.content,
        )
        for token in _parsed(page)
        if token.type == "fence" and token.map is not None
    ]


def inline_codes(page: Path) -> list[InlineCode]:
    """All that a page has between backticks."""
    return [
        InlineCode(page=page, line=token.map[0] + 1, text=child.content)
        for token in _parsed(page)
        if token.type == "inline" and token.map is not None
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def files_of(page: Path) -> dict[str, Block]:
    """The whole files that a page shows, by name."""
    return {name: block for block in blocks(page) if (name := block.file_name) is not None}


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write the page's files into a folder, as its reader would; their paths."""
    written = []
    for name, block in files_of(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        written.append(path)
    return written


def _parsed(page: Path) -> Iterator[Token]:
    yield from MarkdownIt("commonmark").enable("table").parse(page.read_text())
