"""The documentation's Python as modules that mypy can check: with the types that it leaves out.

Readers write tests without annotations, and mypy looks into no function that has none. So each
parameter that is a known fixture gets its type, in place, and a fragment a function around it whose
parameters are what it takes as given. A whole file gets nothing else: its imports are its own.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.examples import Block
from tests.architecture import example_types

_TYPES = "_given"
_IMPORT = f"from tests.architecture import example_types as {_TYPES}"
#: What fragments need not import: every fault and guarantee, as the reference lists them.
_STARS = "from chaoskit.faults import *\nfrom chaoskit.guarantees import *"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A block as a module; `offset` lines of ours stand above those of the page."""

    block: Block
    name: str
    text: str
    offset: int

    def page_line(self, line: int) -> int:
        """The line of the page that this line of the module is."""
        return self.block.line + line - 1 - self.offset


def module_of(block: Block) -> Module:
    """The block, ready to be checked. Raises `SyntaxError` when it is no Python."""
    text = _annotated(block.text)
    if block.file_name is not None:
        name = Path(block.file_name).stem
        head = [_IMPORT]
    else:
        name = re.sub(r"\W", "_", f"{block.page.stem}_{block.line}")
        given = ", ".join(f"{each}: {_TYPES}.{each}" for each in example_types.GIVEN)
        head = [_IMPORT, *_STARS.splitlines(), f"def fragment({given}) -> None:"]
        text = "".join(f"    {row}" if row.strip() else row for row in text.splitlines(True))
    return Module(block=block, name=name, text="\n".join([*head, text]), offset=len(head))


def _annotated(text: str) -> str:
    """With the types of fixtures that it asks for and, of its own ones, those that it gives."""
    rows = text.splitlines(keepends=True)
    pieces: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            pieces += _missing(node, rows)
    for row, column, piece in sorted(pieces, reverse=True):
        rows[row - 1] = rows[row - 1][:column] + piece + rows[row - 1][column:]
    return "".join(rows)


def _missing(node: ast.FunctionDef, rows: list[str]) -> Iterator[tuple[int, int, str]]:
    """Row, column and text of each annotation that the function lacks and we know."""
    row, column = node.lineno, node.col_offset
    for argument in node.args.args:
        assert argument.end_lineno is not None  # set by ast.parse
        assert argument.end_col_offset is not None
        row, column = argument.end_lineno, argument.end_col_offset
        if argument.annotation is None and argument.arg in example_types.GIVEN:
            yield row, column, f": {_TYPES}.{argument.arg}"
    if node.returns is not None:
        return
    while (closed := rows[row - 1].find("):", column)) < 0:
        row, column = row + 1, 0
    if node.name.startswith("test_"):
        yield row, closed + 1, " -> None"
    elif node.name in example_types.GIVEN:
        yield row, closed + 1, f" -> {_TYPES}.{node.name}"
