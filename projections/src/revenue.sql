-- One row per stretch of time in which a licence had the same terms. Stretches of one licence do
-- not overlap, neither by day nor by month: a later one cuts the earlier ones off. A stretch whose
-- `last_month` is before its `first_month` counts in no month, because a later one began within
-- its only month. Months are counted from year 0: year * 12 + month - 1.
CREATE TABLE segments (
    licence BLOB NOT NULL,
    seq INTEGER NOT NULL,
    program TEXT NOT NULL,
    partner BLOB,
    customer_key TEXT NOT NULL,
    currency TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    first_month INTEGER NOT NULL,
    last_month INTEGER NOT NULL,
    mrr_minor INTEGER NOT NULL,
    seats INTEGER NOT NULL,
    servers INTEGER NOT NULL,
    PRIMARY KEY (licence, seq)
) WITHOUT ROWID;

CREATE INDEX segments_by_partner ON segments (program, partner);

-- Contract for reporting jobs: one row per partner, month and currency with revenue, from the first
-- month of any licence to the last. `partner` is lower-case hexadecimal without dashes, null for
-- direct sales; amounts are whole minor units; columns are added at the end, never changed.
CREATE VIEW report_revenue AS
WITH RECURSIVE months (month) AS (
    SELECT min(first_month) FROM segments WHERE last_month >= first_month
    UNION ALL
    SELECT month + 1 FROM months WHERE month < (SELECT max(last_month) FROM segments)
)
SELECT
    s.program AS program,
    lower(hex(s.partner)) AS partner,
    (SELECT name FROM partners WHERE id = s.partner) AS company,
    printf('%04d-%02d', m.month / 12, m.month % 12 + 1) AS month,
    s.currency AS currency,
    sum(s.mrr_minor) AS mrr_minor,
    12 * sum(s.mrr_minor) AS annual_minor,
    sum(s.servers) AS servers,
    count(DISTINCT s.customer_key) AS clients,
    sum(s.seats) AS seats
FROM months AS m
JOIN segments AS s ON m.month BETWEEN s.first_month AND s.last_month
GROUP BY s.program, s.partner, m.month, s.currency;
