"""Options that what was asked for does not heed: refused, in place of leaving them out unsaid."""

from chaoskit.errors import UsageError


def require_none(where: str, **options: object) -> None:
    """Raise `UsageError` for the first of these that was given; `where` says what excludes it."""
    for name, value in options.items():
        if value:
            raise UsageError(
                f"has no part in it {where}",
                subject=f"--{name.replace('_', '-')}",
                seen=value,
                next_step="leave it out",
            )
