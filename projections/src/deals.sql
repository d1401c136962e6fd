CREATE TABLE deals (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    partner BLOB NOT NULL,
    status TEXT NOT NULL,
    customer TEXT NOT NULL,
    customer_key TEXT NOT NULL,
    product_scope TEXT NOT NULL,
    value TEXT NOT NULL,
    expected_close TEXT NOT NULL,
    rulebook_version INTEGER NOT NULL,
    registered_by TEXT NOT NULL,
    submitted_by TEXT,
    submitted_at INTEGER,
    opportunities TEXT NOT NULL,
    conflict BLOB,
    earliest_free_day TEXT,
    question TEXT,
    answer TEXT,
    protected_from TEXT,
    protected_until TEXT,
    activity_due TEXT,
    last_activity TEXT,
    last_activity_on TEXT,
    activities INTEGER NOT NULL,
    extensions INTEGER NOT NULL,
    outcome_reason TEXT,
    closed_on TEXT,
    opened INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX deals_by_status ON deals (program, status, opened);
CREATE INDEX deals_by_program ON deals (program, opened);
CREATE INDEX deals_by_partner ON deals (partner, opened);
CREATE INDEX deals_by_customer ON deals (program, customer_key);

-- Contract for reporting jobs: one row per deal. Ids are lower-case hexadecimal without dashes,
-- amounts whole minor units, days `YYYY-MM-DD`; columns are added at the end, never changed.
CREATE VIEW report_deals AS
SELECT
    d.program AS program,
    lower(hex(d.id)) AS deal,
    lower(hex(d.partner)) AS partner,
    p.name AS company,
    d.status AS status,
    json_extract(d.customer, '$.name') AS customer,
    json_extract(d.customer, '$.country') AS country,
    d.product_scope AS product_scope,
    json_extract(d.value, '$.minor') AS value_minor,
    json_extract(d.value, '$.currency') AS currency,
    d.expected_close AS expected_close,
    d.protected_from AS protected_from,
    d.protected_until AS protected_until,
    d.closed_on AS closed_on,
    date(d.created_at / 1000000, 'unixepoch') AS created_on
FROM deals AS d
LEFT JOIN partners AS p ON p.id = d.partner;
