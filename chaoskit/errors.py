"""Errors: each names the object, the value seen, the time spent and the next step."""


class ChaoskitError(Exception):
    """Something chaoskit could not do.

    `subject` is the object it concerns ("node chaoskit-3f2a-agent-1"), `seen` the last value
    observed, `spent_s` the seconds waited, `next_step` what the reader can do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        subject: str | None = None,
        seen: object = None,
        spent_s: float | None = None,
        next_step: str | None = None,
    ) -> None:
        self.problem = problem
        self.subject = subject
        self.seen = seen
        self.spent_s = spent_s
        self.next_step = next_step
        super().__init__(self._text())

    def _text(self) -> str:
        head = self.problem if self.subject is None else f"{self.subject}: {self.problem}"
        if self.spent_s is not None:
            head += f" (after {self.spent_s:.1f} s)"
        lines = [head]
        if self.seen is not None:
            lines.append(f"  seen: {self.seen}")
        if self.next_step is not None:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)


class UsageError(ChaoskitError):
    """An argument, option or file given to chaoskit is not usable."""


class EngineError(ChaoskitError):
    """The container engine is missing, refuses, or stopped answering."""


class ImageError(ChaoskitError):
    """An image could not be found, built, or is not what its name promises."""


class ClusterError(ChaoskitError):
    """The cluster did not start, lost a part of itself, or cannot be reached."""


class KubernetesError(ChaoskitError):
    """The Kubernetes API refused a request; `seen` holds its reason."""


class WaitTimeout(ChaoskitError):
    """A condition did not come true within its deadline; `seen` is its last state."""


class Hopeless(ChaoskitError):
    """A wait was ended early: the condition can no longer come true by itself."""


class FaultError(ChaoskitError):
    """A fault could not be injected, was not seen in effect, or could not be healed."""


class LoadError(ChaoskitError):
    """The load driver could not start, died, or sent nothing."""


class RecordError(ChaoskitError):
    """A record is missing, of another schema version, or damaged beyond its torn tail."""


class StoreError(ChaoskitError):
    """The store of runs cannot be opened, read or written; the runs' own folders are whole."""
