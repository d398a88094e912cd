"""chaoskit: break a real Kubernetes cluster while clients use it, and judge the record."""

__version__ = "0.1.0"
