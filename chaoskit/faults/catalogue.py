"""All kinds of fault by name: chaoskit's own, and those of other packages' entry points."""

import dataclasses
from functools import cache
from importlib.metadata import entry_points
from typing import Any, cast

import msgspec

import chaoskit.faults
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Fault

#: Where other packages name theirs: `nic_melted = "their.module:NicMelted"`.
ENTRY_POINTS = "chaoskit.faults"


@cache
def fault_types() -> dict[str, type[Fault]]:
    """Every kind of fault by its name. Raises `UsageError` when two bear the same."""
    own = [getattr(chaoskit.faults, name) for name in chaoskit.faults.__all__]
    others = [point.load() for point in entry_points(group=ENTRY_POINTS)]
    types: dict[str, type[Fault]] = {}
    for each in (*own, *others):
        if each.name in types and types[each.name] is not each:
            raise UsageError(
                "two kinds of fault bear this name",
                subject=each.name,
                seen=f"{types[each.name].__module__} and {each.__module__}",
                next_step="uninstall one of the packages, or rename its fault",
            )
        types[each.name] = each
    return types


def fault_type(name: str) -> type[Fault]:
    """The kind of fault of that name. Raises `UsageError` when there is none."""
    types = fault_types()
    if name not in types:
        raise UsageError(
            "no such fault",
            subject=name,
            seen=f"there are: {', '.join(sorted(types))}",
            next_step="chaoskit faults says what each breaks",
        )
    return types[name]


def fields_of(kind: type[Fault]) -> tuple["dataclasses.Field[Any]", ...]:
    """Its parameters: every fault is a dataclass."""
    return dataclasses.fields(kind)  # type: ignore[arg-type]


def parameters_of(fault: Fault) -> dict[str, Any]:
    """A fault's fields as plain values, for a file; `fault_of` makes the fault from them."""
    return cast(dict[str, Any], msgspec.to_builtins(fault))


def fault_of(name: str, parameters: dict[str, Any], *, strict: bool = True) -> Fault:
    """The fault of that kind with these fields; not `strict`, numbers may be written as text.

    Raises `UsageError` for an unknown kind, and for fields that it has not or that do not fit.
    """
    kind = fault_type(name)
    known = {field.name for field in fields_of(kind)}
    if odd := sorted(parameters.keys() - known):
        raise UsageError(
            f"has no parameter {', '.join(odd)}",
            subject=f"fault {name}",
            next_step=f"it has {', '.join(sorted(known))}",
        )
    try:
        return msgspec.convert(parameters, kind, strict=strict)
    except (msgspec.ValidationError, TypeError) as error:
        raise UsageError(f"its parameters do not fit: {error}", subject=f"fault {name}") from error
