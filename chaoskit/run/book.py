"""The book of a session: what became of each scenario, and the reports of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chaoskit import clock
from chaoskit.cluster.machine_class import machine_class
from chaoskit.errors import ChaoskitError
from chaoskit.guarantees.judge import Judgement
from chaoskit.history.folder import RecordFolder
from chaoskit.history.session import Session, SessionScenario, write_session
from chaoskit.options import Options
from chaoskit.report.report import write_all

_FREE_RUN_IDS = 100


class SessionBook:
    """Kept by one process: of several that share a session, the one that started them."""

    def __init__(self, options: Options, command: str) -> None:
        self.options = options
        self.command = command
        #: What could not be written down: the run is not to pass as if it had been.
        self.troubles: list[str] = []
        #: What the session's cluster is.
        self.facts: dict[str, str] = {}
        self._started_ns = clock.now_ns()
        self._started_wall_ns = clock.wall_ns()
        self._scenarios: list[SessionScenario] = []
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The session's folder below the report folder; made when first asked for."""
        if self._folder is None:
            self._folder = new_folder(self.options.report_dir, self.options.seed)
        return self._folder

    def join(self, folder: Path) -> None:
        """Use the folder of a session that several processes share."""
        self._folder = folder

    @property
    def scenarios(self) -> Sequence[SessionScenario]:
        """What became of each scenario so far."""
        return tuple(self._scenarios)

    def conclude(self, scenario: SessionScenario) -> None:
        """Note what became of a scenario; a killed session still says what it had done."""
        self._scenarios.append(scenario)
        with self.noting_trouble():
            self._write(finished=False)

    def write_reports(self) -> list[Path]:
        """Write the reports of what was recorded; their paths, none if no scenario ran.

        A scenario that began and was never concluded (Ctrl-C) is UNKNOWN. What could not be
        written stands in `troubles`.
        """
        if self._folder is None:
            return []
        with self.noting_trouble():
            self._scenarios += self._interrupted(self._folder)
        if not self._scenarios:
            return []
        written: list[Path] = []
        with self.noting_trouble():
            self._write(finished=True)
            written = write_all(self.folder)
        return written

    def summaries(self, scenario: SessionScenario) -> list[str]:
        """A line for each verdict of a scenario, for the terminal."""
        folder = RecordFolder(self.folder / scenario.slug)
        if not folder.has_verdicts():
            return [scenario.reason.splitlines()[0]] if scenario.reason else []
        verdicts = folder.verdicts(Judgement).verdicts
        return [f"{each.outcome:<8} {each.title}: {each.summary}" for each in verdicts]

    @contextmanager
    def noting_trouble(self) -> Iterator[None]:
        """A context whose errors go to `troubles`.

        A full disk or a dead engine must not keep the rest of a session from ending in good order.
        """
        try:
            yield
        except ChaoskitError as error:
            self.troubles.append(str(error))

    def _interrupted(self, folder: Path) -> list[SessionScenario]:
        """Those whose record began and which nobody concluded."""
        concluded = {scenario.slug for scenario in self._scenarios}
        begun = [file.parent for file in sorted(folder.glob("*/run.json"))]
        infos = [(path, RecordFolder(path).info()) for path in begun if path.name not in concluded]
        return [
            SessionScenario(
                slug=path.name,
                nodeid=info.scenario,
                outcome="UNKNOWN",
                rows=info.rows,
                reason="interrupted before it ended",
                title=info.title,
                doc=info.description,
            )
            for path, info in infos
        ]

    def _write(self, *, finished: bool) -> None:
        write_session(
            Session(
                run_id=self.folder.name,
                seed=self.options.seed,
                started_wall_ns=self._started_wall_ns,
                wall_s=(clock.now_ns() - self._started_ns) / 1e9,
                finished=finished,
                command=self.command,
                options=self.options.as_text(),
                facts={**self.facts, "machine": machine_class()},
                scenarios=list(self._scenarios),
            ),
            self.folder,
        )


def new_folder(parent: Path, seed: int) -> Path:
    """A folder for one session below `parent`, made. Raises `ChaoskitError`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(_FREE_RUN_IDS):
        folder = parent / (f"{stamp}-{seed}" + (f"-{number}" if number else ""))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue  # another session began in the same second with the same seed
        except OSError as error:
            raise ChaoskitError(
                "the report folder cannot be made",
                subject=str(folder),
                seen=error,
                next_step="name another with --chaos-report-dir",
            ) from error
        return folder
    raise ChaoskitError("no free name for the report folder", subject=str(parent / stamp))
