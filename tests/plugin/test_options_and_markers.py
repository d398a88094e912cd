"""The plugin's options, markers and header, in pytest runs of their own."""

import pytest

# A scenario of these runs asks for the `chaos` fixture and is never executed: collecting it must
# not touch an engine. An engine that cannot be there proves it: contact would be an error.
SCENARIO = """
import pytest

@pytest.mark.row("R9")
def test_scenario(chaos):
    '''Goal in one line.'''
"""


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")


@pytest.mark.parametrize("arguments", [("--help",), ("--markers",), ("--collect-only",)])
def test_looking_around_needs_no_engine(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    pytester.makepyfile(SCENARIO)

    result = pytester.runpytest_subprocess("-p", "no:locust", *arguments)

    assert result.ret == pytest.ExitCode.OK
    result.stderr.no_fnmatch_line("*engine*")


def test_every_option_has_help_and_an_ini_twin(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-p", "no:locust", "--help")

    for name in (
        "image",
        "nodes",
        "clusters",
        "profile",
        "keep-cluster",
        "report-dir",
        "seed",
        "strict",
    ):
        result.stdout.fnmatch_lines(f"*--chaos-{name}*")
    for name in (
        "image",
        "nodes",
        "clusters",
        "profile",
        "keep_cluster",
        "report_dir",
        "seed",
        "strict",
    ):
        result.stdout.fnmatch_lines(f"*chaos_{name}*")


def test_markers_pass_strict_markers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SCENARIO)

    result = pytester.runpytest_subprocess(
        "-p", "no:locust", "--strict-markers", "--collect-only", "-q"
    )

    assert result.ret == pytest.ExitCode.OK


def test_header_names_what_will_be_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SCENARIO)

    result = pytester.runpytest_subprocess(
        "-p", "no:locust", "--collect-only", "--chaos-seed=42", "--chaos-nodes=1+3"
    )

    result.stdout.fnmatch_lines("chaoskit: image auto, nodes 1+3, profile fast, seed 42, *")


def test_seed_is_drawn_anew_and_printed_when_none_is_given(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SCENARIO)

    lines = {
        next(line for line in result.outlines if line.startswith("chaoskit:"))
        for result in (
            pytester.runpytest_subprocess("-p", "no:locust", "--collect-only") for _ in range(2)
        )
    }

    assert len(lines) == 2


def test_ini_file_sets_options_and_the_command_line_wins(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SCENARIO)
    pytester.makeini("[pytest]\nchaos_nodes = 2+3\nchaos_profile = default\n")

    result = pytester.runpytest_subprocess(
        "-p", "no:locust", "--collect-only", "--chaos-profile=fast"
    )

    result.stdout.fnmatch_lines("chaoskit: *nodes 2+3, profile fast*")


@pytest.mark.parametrize(
    "option, value",
    [
        ("--chaos-nodes", "three"),
        ("--chaos-nodes", "0+2"),
        ("--chaos-profile", "slow"),
        ("--chaos-seed", "-1"),
        ("--chaos-clusters", "0"),
        ("--chaos-clusters", "two"),
        ("--chaos-image", ""),
    ],
)
def test_unusable_value_is_named_with_what_is_wanted(
    pytester: pytest.Pytester, option: str, value: str
) -> None:
    pytester.makepyfile(SCENARIO)

    result = pytester.runpytest_subprocess("-p", "no:locust", f"{option}={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option}: not a value of this option*", f"*seen: {value!r}*"])


def test_unrelated_run_says_nothing_of_chaoskit(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain():\n    assert True\n")

    result = pytester.runpytest_subprocess("-p", "no:locust", "--chaos-nodes=nonsense")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("chaoskit:*")


def test_scenario_without_an_engine_is_an_error_that_says_what_to_do(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(SCENARIO)

    result = pytester.runpytest_subprocess("-p", "no:locust", f"--chaos-report-dir={pytester.path}")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no container engine answers*", "*next: chaoskit doctor --fix*"])
    result.stdout.fnmatch_lines("UNKNOWN*R9*Goal in one line")


TERMINATED = """
import os
import signal

def test_first(chaos_session):
    os.kill(os.getpid(), signal.SIGTERM)

def test_second():
    pass
"""


def test_told_to_end_no_further_test_is_begun(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TERMINATED)

    result = pytester.runpytest_subprocess("-p", "no:locust")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*told to end*")


SIZED = """
import pytest

@pytest.mark.nodes(%s)
def test_sized(chaos):
    '''Goal in one line.'''

def test_usual(chaos):
    '''Goal in one line.'''
"""


def test_scenarios_with_a_size_of_their_own_come_last(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SIZED % '"1+3"')

    result = pytester.runpytest_subprocess("-p", "no:locust", "--collect-only", "-q")

    assert [line.split("::")[-1] for line in result.outlines if "::" in line] == [
        "test_usual",
        "test_sized",
    ]


def test_a_size_that_is_none_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SIZED % "4")

    result = pytester.runpytest_subprocess("-p", "no:locust", "--collect-only")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*marker nodes takes one text*")
