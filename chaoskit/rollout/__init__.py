"""The user's own workload: what its manifests promise, rolled out under load, and judged."""
