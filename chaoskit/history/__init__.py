"""The record: everything that happened in a run, on one monotonic clock."""

SCHEMA_VERSION = 2
