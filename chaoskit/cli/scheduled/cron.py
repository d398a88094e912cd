"""A crontab: one line, run by /bin/sh, in which cron itself reads "%"."""

import shlex

from chaoskit.cli.scheduled.plan import Plan
from chaoskit.errors import UsageError

#: Of Debian's cron (MAX_COMMAND in its cron.h, less its own end).
_LONGEST_COMMAND = 998


def crontab(plan: Plan) -> str:
    """The line with a comment above it. Output goes to a file: cron's mail is often nobody's."""
    steps = shell(plan)
    log = shlex.quote(str(plan.publish / "last-run.log"))
    line = (
        f"mkdir -p {shlex.quote(str(plan.publish))} &&"
        f" cd {shlex.quote(str(plan.project))} && ({steps}) >{log} 2>&1"
    )
    command = line.replace("%", "\\%")
    if len(command) > _LONGEST_COMMAND:
        raise UsageError(
            f"makes a command of {len(command)} characters, and cron takes {_LONGEST_COMMAND}",
            subject="SELECTION with its folders",
            next_step="put the options of pytest into its ini file, or choose systemd",
        )
    return (
        f"# chaoskit: {shlex.join(plan.selection)}; the trend is in {plan.publish}\n"
        f"{plan.cron_time} {command}\n"
    )


def shell(plan: Plan) -> str:
    """The run and what follows for /bin/sh; the exit status is that of the run."""
    after = "; ".join(shlex.join(command) for command in plan.afterwards)
    return f"{shlex.join(plan.run)}; status=$?; {after}; exit $status"
