"""Which kind of machine this is: figures of two runs compare only on machines of one class."""

import os
import platform

import psutil

#: Names the class where the measured one says too little: a label of CI's runners.
NAMED_BY = "CHAOSKIT_MACHINE"
_GIB = 2**30


def machine_class() -> str:
    """$CHAOSKIT_MACHINE, else architecture, usable cores and memory: "x86_64 2 cores 8 GiB"."""
    if named := os.environ.get(NAMED_BY):
        return named
    cores = len(os.sched_getaffinity(0))
    memory_gib = round(psutil.virtual_memory().total / _GIB)
    return f"{platform.machine()} {cores} cores {memory_gib} GiB"
