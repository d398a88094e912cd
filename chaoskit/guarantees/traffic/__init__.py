"""Requests as all guarantees read them: chosen, in streams, charged to the service or not."""
