CREATE TABLE rulebooks (
    program TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    vendor TEXT NOT NULL,
    drafted_by TEXT NOT NULL,
    drafted_at INTEGER NOT NULL,
    approved_by TEXT,
    announced_on TEXT,
    effective_on TEXT,
    withdrawn_reason TEXT,
    document TEXT NOT NULL,
    PRIMARY KEY (program, version)
);
