"""A systemd service and its timer. systemd expands "%" and "$" in commands by its own rules."""

from collections.abc import Sequence

from chaoskit.cli.scheduled.plan import Plan

_LONGEST_RUN = "12h"


def service(plan: Plan) -> str:
    """The unit that runs once. What follows the run is done however it ended."""
    after = "".join(f"ExecStopPost=-{_command(command)}\n" for command in plan.afterwards)
    return (
        "[Unit]\n"
        "Description=chaoskit: scheduled resilience run\n"
        "After=network-online.target\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"WorkingDirectory={_expanded(str(plan.project))}\n"
        f"ExecStart={_command(plan.run)}\n"
        f"{after}"
        f"TimeoutStartSec={_LONGEST_RUN}\n"
        # Faults are healed by processes of ours that outlive the run for some seconds.
        "KillMode=mixed\n"
    )


def timer(plan: Plan) -> str:
    """The unit that starts it; a time that was slept through is made up for."""
    day = "" if plan.day is None else f"{plan.day.capitalize()} "
    return (
        "[Unit]\n"
        "Description=chaoskit: when the scheduled run is due\n"
        "\n"
        "[Timer]\n"
        f"OnCalendar={day}*-*-* {plan.hour:02}:{plan.minute:02}:00\n"
        "Persistent=true\n"
        "\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
    )


def _command(arguments: Sequence[str]) -> str:
    return " ".join(_quoted(each) for each in arguments)


def _quoted(argument: str) -> str:
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_expanded(escaped)}"'


def _expanded(text: str) -> str:
    """As systemd gives it back once it has looked for specifiers in it."""
    return text.replace("%", "%%")
