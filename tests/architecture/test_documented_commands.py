"""Every call of `chaoskit`, `pytest` and `make` in the docs is one that they understand."""

import re
from collections.abc import Sequence

import click
import pytest

from chaoskit.cli import group
from chaoskit.faults.catalogue import fault_types
from docs.examples import ROOT, Block, InlineCode, blocks, inline_codes, pages
from tests.architecture.commands import (
    Command,
    commands_between_backticks,
    commands_in,
    problems,
)

_OWN_NAME = re.compile(r'name: ClassVar\[str\] = "(\w+)"')
COMMANDS = [
    *(command for page in pages() for block in blocks(page) for command in commands_in(block)),
    *(
        command
        for page in pages()
        for code in inline_codes(page)
        for command in commands_between_backticks(code)
    ),
]


@pytest.fixture
def faults() -> set[str]:
    """chaoskit's own, and those that pages show how to write."""
    shown = (name for page in pages() for name in _OWN_NAME.findall(page.read_text()))
    return {*fault_types(), *shown}


def pytest_unknown(config: pytest.Config, words: Sequence[str]) -> list[str]:
    """Which of the words this very pytest, with its plugins, does not know."""
    # There is no public way to ask; a pytest that moves it makes this test fail, and no other.
    given, unknown = config._parser.parse_known_and_unknown_args(list(words))
    markers = {re.split(r"[(:]", line)[0] for line in config.getini("markers")}
    asked = set(re.findall(r"\w+", given.markexpr)) - {"and", "or", "not"}
    return [f"pytest takes no {one}" for one in unknown] + [
        f"no marker {one}" for one in sorted(asked - markers)
    ]


def test_there_are_commands_to_check() -> None:
    """A parser that finds nothing has nothing to complain of."""
    assert {command.argv[0] for command in COMMANDS} == {"chaoskit", "pytest", "make"}
    assert len({command.where.partition(":")[0] for command in COMMANDS}) > 10


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_documented_command_is_understood(
    command: Command, faults: set[str], pytestconfig: pytest.Config
) -> None:
    found = problems(command, lambda words: pytest_unknown(pytestconfig, words), faults)
    assert found == [], str(command)


def options_of(command: click.Command) -> set[str]:
    """Those of a command and of all below it."""
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None  # it is listed
            known |= options_of(found)
    return known


OPTIONS = [
    code
    for page in pages()
    if page.parent.name in ("how-to", "tutorial") or page.parent == ROOT
    for code in inline_codes(page)
    if code.text.startswith("-") and code.text.strip("-")
]


def is_option(name: str, config: pytest.Config) -> bool:
    """Whether chaoskit or pytest takes an option of that name, with a value or without."""
    return name in options_of(group) or not pytest_unknown(config, [name, "1"])


@pytest.mark.parametrize("code", OPTIONS, ids=lambda code: f"{code} {code.text}")
def test_an_option_named_in_a_guide_is_one(code: InlineCode, pytestconfig: pytest.Config) -> None:
    name = re.split(r"[ =…]", code.text)[0]
    assert is_option(name, pytestconfig), f"{code} {code.text}"


def test_an_option_that_nobody_takes_is_found(pytestconfig: pytest.Config) -> None:
    assert is_option("--chaos-seed", pytestconfig)
    assert is_option("--node-faults", pytestconfig)
    assert not is_option("--chaos-sead", pytestconfig)


@pytest.mark.parametrize(
    "line",
    [
        "chaoskit report RUN --exit-state",
        "chaoskit inject nic_down agent-0",
        "chaoskit inject nic_up agent-0 --for 5s",
        "chaoskit runs list",
        "chaoskit doctor --for production",
        "chaoskit check RUN ANOTHER",
        "chaoskit schedule cron --at 03:30 -- scenarios --chaos-sead 1",
        "chaoskit schedule cronjob --in-cluster -- deployment/web --restarted",
        "KEY=1 .venv/bin/pytest scenarios -m demos",
        "export KUBECONFIG=$(chaoskit cluster config)",
        'eval "$(chaoskit completion tcsh)"',
        "make everything",
    ],
)
def test_a_wrong_command_is_found(line: str, faults: set[str], pytestconfig: pytest.Config) -> None:
    page = ROOT / "README.md"
    (command,) = commands_in(Block(page=page, line=1, language="sh", text=f"{line}\n"))
    assert problems(command, lambda words: pytest_unknown(pytestconfig, words), faults)
