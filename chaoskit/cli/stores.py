"""What subcommands that read the store of runs have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from chaoskit.errors import ChaoskitError, UsageError
from chaoskit.store.store import LATEST, Store, default_path

F = TypeVar("F", bound=Callable[..., Any])


def with_store(function: F) -> F:
    """Add the option `--store` to a command; its value comes as `store_path`."""
    option = click.option(
        "--store",
        "store_path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The store of runs; default: $CHAOSKIT_STORE, else in the state folder.",
    )
    return option(function)


def opened(store_path: Path | None) -> Store:
    """The store, which has to be there: reading makes none. Raises `UsageError`, `StoreError`."""
    path = default_path() if store_path is None else store_path
    if not path.exists():
        raise UsageError(
            "there is no store of runs",
            subject=str(path),
            next_step="a finished pytest run makes it; chaoskit runs add FOLDER keeps older ones",
        )
    return Store(path)


def complete_run(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Ids of kept runs for the shell; none where the store cannot be read."""
    try:
        with opened(context.params.get("store_path")) as store:
            names = [LATEST, *store.ids()]
    except ChaoskitError:
        return []  # a shell that completes has no place for an error
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
