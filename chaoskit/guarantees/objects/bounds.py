"""maxSurge, maxUnavailable and their like, as numbers of pods."""

from chaoskit.errors import RecordError

Bound = int | str  # a number of pods, or a percentage such as "25%"


def resolved(max_surge: Bound, max_unavailable: Bound, desired: int) -> tuple[int, int]:
    """Both bounds in pods, rounded as Kubernetes rounds them. Raises `RecordError`."""
    surge = _pods(max_surge, desired, up=True)
    unavailable = _pods(max_unavailable, desired, up=False)
    return surge, 1 if surge == unavailable == 0 else unavailable


def rounded_up(bound: Bound, desired: int) -> int:
    """One bound in pods, a percentage rounded up. Raises `RecordError`."""
    return _pods(bound, desired, up=True)


def _pods(bound: Bound, desired: int, *, up: bool) -> int:
    if isinstance(bound, int):
        return bound
    try:
        percent = int(bound.removesuffix("%"))
    except ValueError:
        raise RecordError(
            "is neither a number nor a percentage", subject="a bound", seen=bound
        ) from None
    return -(-percent * desired // 100) if up else percent * desired // 100
