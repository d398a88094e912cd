"""Exit statuses: the same for every subcommand, so that a script need not know which one it was."""

from collections.abc import Sequence

from chaoskit.errors import ChaoskitError, RecordError, UsageError

#: All asked for is so: guarantees held, nothing got worse, nothing is left to do.
EXIT_HELD = 0
#: It is not so: a guarantee was violated, something got worse, something stayed open.
EXIT_VIOLATED = 1
#: Called wrongly.
EXIT_USAGE = 2
#: Nobody can tell: UNKNOWN, a record that is missing or cannot be read, too little history.
EXIT_UNKNOWN = 3
#: The surroundings failed: engine, image, cluster, fault, load, disk, store.
EXIT_ENVIRONMENT = 4
#: Ctrl-C or SIGINT, as shells say it.
EXIT_INTERRUPTED = 130

_OF_OUTCOME = {"HELD": EXIT_HELD, "VIOLATED": EXIT_VIOLATED, "UNKNOWN": EXIT_UNKNOWN}


def of_outcome(outcome: str) -> int:
    """The status of a verdict; what was not run is not known."""
    return _OF_OUTCOME.get(outcome, EXIT_UNKNOWN)


def of_error(error: ChaoskitError) -> int:
    """What an error means: called wrongly, a question left open, or surroundings that failed."""
    if isinstance(error, UsageError):
        return EXIT_USAGE
    return EXIT_UNKNOWN if isinstance(error, RecordError) else EXIT_ENVIRONMENT


def help_end(examples: Sequence[str], statuses: str) -> str:
    """The end of a subcommand's help: calls that work, and what its exit statuses say."""
    shown = "\n".join(f"  {example}" for example in examples)
    return f"\b\nExamples:\n{shown}\n\nExit status: {statuses}"
