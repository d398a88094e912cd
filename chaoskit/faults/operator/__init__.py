"""Faults of whoever operates the cluster, and of their clients."""
