"""Faults of the control plane."""
