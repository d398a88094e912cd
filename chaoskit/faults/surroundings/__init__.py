"""Faults of what pods need around them: configuration, quotas, registries."""
