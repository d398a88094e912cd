"""Whether the harness itself can be believed: its load, and its two witnesses."""
