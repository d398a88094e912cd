"""A plan of steps whose run violated a guarantee is run again with fewer, until few are left."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from chaoskit import clock
from chaoskit.errors import ChaoskitError
from chaoskit.guarantees.judge import Judgement
from chaoskit.guarantees.verdict import Outcome
from chaoskit.run.outcome import NotHeld
from chaoskit.run.run import Run
from chaoskit.run.shortest import Shortest, shortest
from chaoskit.workloads.namespace import Namespace

T = TypeVar("T")

#: Takes the steps of a plan on a workload of its own in the run's namespace, and has it judged.
Trial = Callable[[Run, Sequence[T]], object]


def check_or_shrink(
    run: Run,
    plan: Sequence[T],
    trial: Trial[T],
    *,
    within_s: float,
    say: Callable[[str], object] = lambda text: None,
) -> None:
    """Let `trial` take the plan and judge it. Raises its `NotHeld`.

    Where a guarantee was violated the plan is cut down first: runs of parts of it, each in a
    namespace and with a record of its own below this run's, until no step can be left out or
    `within_s` are over. What is left stands in the error's notes and in `shortest.json` beside
    the record. A part fails when it violates one of the guarantees that the whole violated.
    """
    run.steps.note("info", f"planned by seed {run.setup.seed}: {_listed(plan)}")
    try:
        trial(run, plan)
    except NotHeld as failure:
        violated = _violated(failure.judgement)
        if violated:
            again = _Again(run, trial, violated, within_s, say)
            for line in again.shrunk(plan):
                failure.add_note(line)
        raise


@dataclass
class _Again(Generic[T]):
    """Runs of parts of a plan."""

    run: Run
    trial: Trial[T]
    violated: frozenset[str]
    within_s: float
    say: Callable[[str], object]
    started_ns: int = field(default_factory=clock.now_ns)
    records: list[dict[str, str]] = field(default_factory=list)

    @property
    def spent_s(self) -> float:
        """How long it has taken so far."""
        return (clock.now_ns() - self.started_ns) / 1e9

    def shrunk(self, plan: Sequence[T]) -> list[str]:
        """Cut the plan down; what became of it, in lines."""
        self.say(f"a plan of {len(plan)} steps violated {', '.join(sorted(self.violated))}")
        found = shortest(plan, self.does_fail, lambda: self.spent_s >= self.within_s)
        self._write(plan, found)
        end = "no step can be left out" if found.is_minimal else "then the time was up"
        return [
            f"seed {self.run.setup.seed} planned {_listed(plan)}",
            f"shortest failing sequence, {len(found.items)} of {len(plan)} steps, found by "
            f"{found.tried} runs in {self.spent_s:.0f} s ({end}):",
            *(f"  {step}" for step in found.items or ["no step at all"]),
        ]

    def does_fail(self, part: tuple[T, ...]) -> bool:
        """Whether this part violates what the whole violated; False where that is not known."""
        number = len(self.records) + 1
        with _once_more(self.run, number) as other:
            try:
                self.trial(other, part)
                outcome = str(Outcome.HELD)
            except NotHeld as failure:
                same = self.violated & _violated(failure.judgement)
                outcome = str(Outcome.VIOLATED)
                if not same:
                    outcome = f"{failure.judgement.outcome}, not of the same guarantee"
            except ChaoskitError as error:
                outcome = f"could not be run: {error}"
            record = str(other.record.path)
        self.records.append({"steps": _listed(part), "outcome": outcome, "record": record})
        self.say(f"  {self.spent_s:4.0f} s, run {number}, {len(part)} steps: {outcome}")
        return outcome == Outcome.VIOLATED

    def _write(self, plan: Sequence[T], found: Shortest[T]) -> None:
        told = {
            "seed": self.run.setup.seed,
            "plan": [str(step) for step in plan],
            "violated": sorted(self.violated),
            "shortest": [str(step) for step in found.items],
            "is_minimal": found.is_minimal,
            "spent_s": round(self.spent_s, 1),
            "runs": self.records,
        }
        text = msgspec.json.format(msgspec.json.encode(told))
        (Path(self.run.record.path) / "shortest.json").write_bytes(text)


@contextmanager
def _once_more(run: Run, number: int) -> Iterator[Run]:
    """Another run beside this one, in a namespace of its own."""
    namespace = Namespace.create(run.cluster.kube, "chaos")
    try:
        folder = run.setup.folder / "shrinking" / f"{number:02}"
        other = run.start_again(replace(run.setup, folder=folder, namespace=namespace.name))
        try:
            yield other
        finally:
            other.close()
    finally:
        namespace.delete()


def _violated(judgement: Judgement) -> frozenset[str]:
    return frozenset(
        each.guarantee for each in judgement.verdicts if each.outcome is Outcome.VIOLATED
    )


def _listed(plan: Sequence[object]) -> str:
    return ", ".join(str(step) for step in plan) or "nothing"
