-- What time will do. `earliest` is the first day on which the timer may fire; for the activity of a
-- deal it is the first one that there ever was, and the deal tells to which day activity has put
-- it off: the most frequent of all events is spared a row.
CREATE TABLE due (
    kind TEXT NOT NULL,
    aggregate BLOB NOT NULL,
    subject TEXT NOT NULL,
    program TEXT NOT NULL,
    category TEXT NOT NULL,
    earliest TEXT NOT NULL,
    PRIMARY KEY (kind, aggregate, subject)
) WITHOUT ROWID;

CREATE INDEX due_by_day ON due (earliest, kind, aggregate, subject);
