"""Kubernetes' own end-to-end tests against the built node image: `python -m tests.conformance`."""
