"""What a guarantee about requests can choose by. Guarantees inherit it, as their parameters."""

from dataclasses import dataclass

from chaoskit.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class StreamChoice:
    """Streams, for what is judged over the whole of them; None chooses everything.

    All are values of the columns, wildcards allowed. `user`: who sent it in a closed loop.
    """

    stream: str | None = None
    connection: str | None = None
    operation: str | None = None
    user: str | None = None

    def whole_streams(self) -> "Choice":
        """All their requests: runs of failures are found first, the time is applied to them."""
        return Choice(
            stream=self.stream,
            connection=self.connection,
            operation=self.operation,
            user=self.user,
        )


@dataclass(frozen=True, kw_only=True)
class Choice(StreamChoice):
    """Requests of streams by their time.

    `outside`, `during`: the name of a fault, of which one is given. `settle_s` is added behind
    each of its windows. `phase`: a phase of the load.
    """

    outside: str | None = None
    during: str | None = None
    phase: str | None = None
    settle_s: float = 0.0


def require_one_window(outside: str | None, during: str | None) -> None:
    """Raise `UsageError` when both are given."""
    if outside is not None and during is not None:
        raise UsageError(
            "takes one of outside= and during=", subject="a guarantee", seen=(outside, during)
        )
