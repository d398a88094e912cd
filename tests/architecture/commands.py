"""Command lines as the documentation shows them, and what is wrong with them, running nothing."""

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import yaml

from chaoskit.cli import group
from docs.examples import ROOT, Block, InlineCode

#: Languages of blocks whose lines are commands, some with what they print below them.
SHELL = ("", "sh", "console")
#: Keys of CI definitions below which commands stand.
_RUN_BY = ("run", "script", "before_script", "after_script")
_PROGRAMS = ("chaoskit", "pytest", "make")
_OPERATORS = frozenset("();<>|&")
_ASSIGNMENT = re.compile(r"\w+=")
_NESTED = re.compile(r"\$\(([^)]*)\)")
#: What stands for something of the reader's own.
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*…?|…")

#: Says which words pytest does not know among those that it would be given.
Unknown = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One call of a program of ours; `is_whole`: as typed, with all that it needs."""

    where: str
    argv: tuple[str, ...]
    is_whole: bool = True

    def __str__(self) -> str:
        return f"{self.where} {shlex.join(self.argv)}"


def commands_in(block: Block) -> Iterator[Command]:
    """Our commands in a block of commands, or in a definition for CI."""
    if block.language in SHELL:
        for number, line in _lines(block.text):
            yield from _commands(f"{block.page.relative_to(ROOT)}:{block.line + number}", line)
    elif block.language == "yaml":
        for document in yaml.safe_load_all(block.text):
            for script in _scripts(document):
                for _, line in _lines(script):
                    yield from _commands(str(block), line)


def commands_between_backticks(code: InlineCode) -> Iterator[Command]:
    """Our commands in a sentence, where they may be named without what they need."""
    for command in _commands(str(code), code.text):
        yield replace(command, is_whole=False)


def problems(command: Command, pytest_unknown: Unknown, faults: Collection[str]) -> list[str]:
    """What is wrong with it; `faults` are the names that commands may give one."""
    program, *words = command.argv
    if program == "make":
        return _problems_of_make(words)
    if program == "pytest":
        return pytest_unknown(words)
    ours, handed_on = _cut(words)
    found = _problems_of_click(group, ours, command.is_whole)
    if ours[:1] in (["faults"], ["inject"]) and len(ours) > 1:
        found += [f"no fault {one}" for one in ours[1:2] if _is_named(one) and one not in faults]
    if "--in-cluster" in ours:
        return found + _problems_of_click(group, ["rollout", *handed_on], command.is_whole)
    return found + pytest_unknown(handed_on)


def _problems_of_click(command: click.Command, words: Sequence[str], is_whole: bool) -> list[str]:
    context = click.Context(command, info_name=command.name)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.params:
            value: Any = given.get(parameter.name)
            if isinstance(value, str | list | tuple):
                if not isinstance(parameter.type, click.Path | click.File):
                    parameter.type_cast_value(context, value)
            elif is_whole and parameter.required and "help" not in given:
                return [f"lacks {parameter.human_readable_name}"]
        if isinstance(command, click.Group) and rest:
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None  # else it has raised
            return _problems_of_click(found, rest, is_whole)
    except click.UsageError as error:
        return [error.format_message()]
    return [f"nothing takes {' '.join(rest)}"] if rest else []


def _problems_of_make(words: Sequence[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    targets = [word for word in words if not _ASSIGNMENT.match(word)]
    return [
        f"no target {one}"
        for one in targets
        if not re.search(rf"^{re.escape(one)}:", makefile, re.MULTILINE)
    ]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, the continued ones joined; of a session only what is typed."""
    rows = text.splitlines()
    is_session = any(row.startswith("$ ") for row in rows)
    begun, joined = 0, ""
    for number, row in enumerate(rows):
        begun, joined = (begun, joined + row.lstrip()) if joined else (number, row)
        if joined.endswith("\\"):
            joined = joined.removesuffix("\\")
            continue
        if not is_session or joined.startswith("$ "):
            yield begun, joined.removeprefix("$ ")
        joined = ""


def _commands(where: str, line: str) -> Iterator[Command]:
    """Calls of our programs in one line of shell, pipes and substitutions taken apart."""
    if not any(program in line for program in _PROGRAMS):
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    simple: list[str] = []
    for word in [*lexer, ";"]:
        if _OPERATORS.issuperset(word):
            if (argv := _call(simple)) is not None:
                yield Command(where=where, argv=argv)
            simple = []
            continue
        for nested in _NESTED.findall(word):
            yield from _commands(where, nested)
        simple.append(word)


def _call(words: Sequence[str]) -> tuple[str, ...] | None:
    rest = list(words)
    while rest and _ASSIGNMENT.match(rest[0]):
        del rest[0]
    if rest[1:3] == ["-m", "pytest"]:
        del rest[:2]
    if not rest or Path(rest[0]).name not in _PROGRAMS or rest[0].endswith("/"):
        return None
    return (Path(rest[0]).name, *rest[1:])


def _scripts(document: object) -> Iterator[str]:
    """What stands below the keys of commands, at any depth."""
    if isinstance(document, list):
        for each in document:
            yield from _scripts(each)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in _RUN_BY:
                yield from [value] if isinstance(value, str) else map(str, value)
            else:
                yield from _scripts(value)


def _cut(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before "--", and what it hands on to another program."""
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


def _is_named(word: str) -> bool:
    return not word.startswith("-") and not _PLACEHOLDER.fullmatch(word)
