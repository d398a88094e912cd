"""What takes hours, piece by piece: `python -m benchmarks.soak`, as `make soak` does.

Results add up below `reports/soak/STAGE`: interrupt it at any moment and start it again, and it
goes on with the first piece that is not done. A piece that failed is tried again at the next
start. `--list` says what there is and what is left; `--tables` prints what came of it.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.soak.faults import FaultTimes, Kills
from benchmarks.soak.mutants import Mutants
from benchmarks.soak.properties import Properties
from benchmarks.soak.repeats import Repeats
from benchmarks.soak.stage import Ledger, Stage

_FOLDER = Path("reports/soak")


def main() -> None:
    """Run the stages asked for, one after the other, or say what they have."""
    arguments = _arguments()
    everything: list[Stage] = [
        Repeats(arguments.rounds, arguments.select, tuple(arguments.scenarios), arguments.workers),
        FaultTimes(),
        Kills(),
        Properties(examples=arguments.examples),
        Mutants(workers=arguments.workers, sample=arguments.sample),
    ]
    names = [stage.name for stage in everything]
    if strange := set(arguments.only) - set(names):
        raise SystemExit(f"no stage is called {', '.join(strange)}; there are {', '.join(names)}")
    stages = [it for it in everything if not arguments.only or it.name in arguments.only]
    if arguments.list:
        for stage in stages:
            print(_state(stage))
        return
    if not arguments.tables:
        failed = sum(_run(stage, arguments.pieces) for stage in stages)
    for stage in stages:
        _print_table(stage)
    if not arguments.tables and failed:
        raise SystemExit(f"{failed} pieces failed, see above")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", default=(), metavar="STAGE", help="stages to run")
    parser.add_argument("--list", action="store_true", help="say what is done and what is left")
    parser.add_argument("--tables", action="store_true", help="print what came of it so far")
    parser.add_argument("--pieces", type=int, help="stop each stage after so many")
    parser.add_argument("--rounds", type=int, default=Repeats.rounds, help="repeats: in all")
    parser.add_argument("--select", default=Repeats.select, help="repeats: pytest's -m")
    parser.add_argument(
        "--scenarios",
        nargs="+",
        default=Repeats.scenarios,
        metavar="PATH",
        help="repeats: files or folders, each in pieces of its own",
    )
    parser.add_argument("--examples", type=int, default=Properties.examples, help="of each test")
    parser.add_argument(
        "--workers", type=int, default=Repeats.workers, help="repeats and mutants: so many at once"
    )
    parser.add_argument("--sample", type=int, default=Mutants.sample, help="mutants: of a group")
    return parser.parse_args()


def _state(stage: Stage) -> str:
    ledger = Ledger(_FOLDER / stage.name)
    pieces = stage.pieces()
    left = ledger.left(pieces)
    failed = {row["piece"] for row in ledger.rows() if not row["done"]} & set(left)
    next_one = f"; next: {left[0]}" if left else ""
    return (
        f"{stage.name}: {stage.title}\n"
        f"  {len(pieces) - len(left)} of {len(pieces)} pieces done, {len(failed)} failed{next_one}"
    )


def _run(stage: Stage, most: int | None) -> int:
    """Do what is left of a stage; how many pieces failed."""
    ledger = Ledger(_FOLDER / stage.name)
    left: Sequence[str] = ledger.left(stage.pieces())[:most]
    if left and stage.needs_engine:
        command = [sys.executable, "-m", "chaoskit.cli", "doctor", "--fix", "--for", "test"]
        subprocess.run(command, check=True)
    failed = 0
    for number, piece in enumerate(left, 1):
        print(f"{stage.name} {number} of {len(left)}: {piece}", flush=True)
        row = stage.run(piece, ledger.folder)
        ledger.append(row)
        failed += not row["done"]
    return failed


def _print_table(stage: Stage) -> None:
    rows = Ledger(_FOLDER / stage.name).rows()
    print(f"\n## {stage.title}\n\n{stage.table(rows) if rows else 'nothing so far'}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("interrupted; the next start goes on from here") from None
