"""The store's tables, as the steps that lead to them.

SQLite's `user_version` counts the steps that a file has seen. A step that was released is never
edited: a change is a further step, and what it adds is NULL or empty for older runs.
"""

#: "chao" in ASCII, as SQLite's application_id: what tells a store from any other database.
APPLICATION_ID = 0x6368616F

Migration = tuple[str, ...]

_RUNS: Migration = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL,
        started_wall_ns INTEGER NOT NULL,
        wall_s REAL NOT NULL,
        outcome TEXT NOT NULL,
        finished INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        command TEXT NOT NULL,
        chaoskit TEXT NOT NULL,
        folder TEXT NOT NULL,
        report TEXT NOT NULL,
        options TEXT NOT NULL,
        facts TEXT NOT NULL,
        UNIQUE (run_id, started_wall_ns)
    )""",
    """CREATE TABLE scenarios (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        slug TEXT NOT NULL,
        nodeid TEXT NOT NULL,
        title TEXT NOT NULL,
        catalogue_rows TEXT NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        wall_s REAL NOT NULL,
        record TEXT NOT NULL,
        kubernetes TEXT NOT NULL,
        nodes TEXT NOT NULL,
        profile TEXT NOT NULL,
        image TEXT NOT NULL
    )""",
    """CREATE TABLE verdicts (
        id INTEGER PRIMARY KEY,
        scenario INTEGER NOT NULL REFERENCES scenarios (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        guarantee TEXT NOT NULL,
        version INTEGER NOT NULL,
        parameters TEXT NOT NULL,
        title TEXT NOT NULL,
        outcome TEXT NOT NULL,
        summary TEXT NOT NULL,
        figures TEXT NOT NULL
    )""",
    "CREATE INDEX runs_by_start ON runs (started_wall_ns)",
    "CREATE INDEX scenarios_of_runs ON scenarios (run)",
    "CREATE INDEX verdicts_of_scenarios ON verdicts (scenario)",
)

_MEASURES: Migration = (
    "ALTER TABLE scenarios ADD COLUMN machine TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE scenarios ADD COLUMN requests INTEGER",
    "ALTER TABLE scenarios ADD COLUMN lost INTEGER",
    "ALTER TABLE scenarios ADD COLUMN downtime_s REAL",
    "ALTER TABLE scenarios ADD COLUMN recovery_s REAL",
    "ALTER TABLE scenarios ADD COLUMN response_p99_s REAL",
)

MIGRATIONS: tuple[Migration, ...] = (_RUNS, _MEASURES)
