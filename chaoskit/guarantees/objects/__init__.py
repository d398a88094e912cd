"""Kubernetes' objects as all guarantees read them: their changes, pods and processes over time."""
