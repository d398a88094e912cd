"""Faults of pods: taken away, stuck, failing their probes; and of their containers."""
