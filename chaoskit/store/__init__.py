"""The store of runs: one SQLite file that keeps what became of each, for trends over days."""
