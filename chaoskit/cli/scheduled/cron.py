"""A crontab: one line, run by /bin/sh, in which cron itself reads "%"."""

import shlex

from chaoskit.cli.scheduled.plan import Plan


def crontab(plan: Plan) -> str:
    """The line with a comment above it. Output goes to a file: cron's mail is often nobody's."""
    steps = shell(plan)
    log = shlex.quote(str(plan.publish / "last-run.log"))
    line = (
        f"mkdir -p {shlex.quote(str(plan.publish))} &&"
        f" cd {shlex.quote(str(plan.project))} && ({steps}) >{log} 2>&1"
    )
    return (
        f"# chaoskit: {shlex.join(plan.selection)}; the trend is in {plan.publish}\n"
        f"{plan.cron_time} {line.replace('%', chr(92) + '%')}\n"
    )


def shell(plan: Plan) -> str:
    """The run and what follows for /bin/sh; the exit status is that of the run."""
    after = "; ".join(shlex.join(command) for command in plan.afterwards)
    return f"{shlex.join(plan.run)}; status=$?; {after}; exit $status"
