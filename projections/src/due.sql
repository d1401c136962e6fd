-- What time will do: `due_on` is the first day on which the timer may fire.
CREATE TABLE due (
    kind TEXT NOT NULL,
    aggregate BLOB NOT NULL,
    subject TEXT NOT NULL,
    program TEXT NOT NULL,
    category TEXT NOT NULL,
    due_on TEXT NOT NULL,
    PRIMARY KEY (kind, aggregate, subject)
) WITHOUT ROWID;

CREATE INDEX due_by_day ON due (due_on, kind, aggregate, subject);
