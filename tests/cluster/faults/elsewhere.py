"""Healing by a process that knows a fault's name and fields, and nothing else of it."""

import json
import subprocess
import sys
from pathlib import Path

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults.catalogue import parameters_of
from chaoskit.faults.fault import Fault

_ROOT = Path(__file__).parents[3]
_HEAL = """
import json, sys
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.faults.catalogue import fault_of

cluster, name, parameters = sys.argv[1:]
provider = K3sProvider()
found = provider.find(cluster)
fault_of(name, json.loads(parameters)).heal(found)
found.close()
provider.close()
"""


def heal(fault: Fault, cluster: K3sCluster) -> None:
    """Heal it there; an error of it fails the test with what it said."""
    fields = json.dumps(parameters_of(fault))
    done = subprocess.run(
        [sys.executable, "-c", _HEAL, cluster.name, fault.name, fields],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
