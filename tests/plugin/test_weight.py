"""What the plugin costs a run that has nothing to do with it."""

import subprocess
import sys

# Modules whose import takes tens of milliseconds, or patches the process.
HEAVY = ("gevent", "locust", "kubernetes", "docker", "testcontainers", "pyarrow", "numpy", "click")


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, chaoskit.plugin; print(*sorted(name.split('.')[0] for name in sys.modules))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "pytest" in loaded
    assert not set(HEAVY) & set(loaded)
