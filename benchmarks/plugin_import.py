"""What `import chaoskit.plugin` adds to a process that has imported pytest already."""

import statistics
import subprocess
import sys

_RUNS = 15
_CODE = (
    "import time, pytest; begun = time.perf_counter(); import chaoskit.plugin;"
    "print((time.perf_counter() - begun) * 1e3)"
)


def main() -> None:
    """Measure and print; the first run, which writes bytecode, is not counted."""
    took_ms = [
        float(subprocess.run([sys.executable, "-c", _CODE], capture_output=True, check=True).stdout)
        for _ in range(_RUNS + 1)
    ][1:]
    print(
        f"import chaoskit.plugin: median {statistics.median(took_ms):.1f} ms, "
        f"max {max(took_ms):.1f} ms over {_RUNS} runs"
    )


if __name__ == "__main__":
    main()
