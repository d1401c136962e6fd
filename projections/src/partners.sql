CREATE TABLE partners (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    country TEXT NOT NULL,
    domain TEXT,
    tax_id TEXT,
    status TEXT NOT NULL,
    status_before_suspension TEXT,
    status_reason TEXT,
    tracks TEXT NOT NULL,
    phase TEXT,
    mou_until TEXT,
    mou_resources TEXT NOT NULL,
    evaluation TEXT NOT NULL,
    agreement_signed_on TEXT,
    agreement_ends_on TEXT,
    scope TEXT NOT NULL,
    annexes TEXT NOT NULL,
    deviations TEXT NOT NULL,
    withheld_benefits TEXT NOT NULL,
    technical_resource TEXT,
    technical_gap_until TEXT,
    probations TEXT NOT NULL,
    acknowledged TEXT NOT NULL,
    obligations TEXT NOT NULL,
    targets TEXT NOT NULL,
    discount_adjustment TEXT,
    contacts TEXT NOT NULL,
    transition_plan TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX partners_by_name ON partners (program, name_key, id);
CREATE INDEX partners_by_status ON partners (program, status, name_key, id);
CREATE INDEX partners_by_country ON partners (program, country, name_key, id);
CREATE INDEX partners_by_phase ON partners (program, phase, name_key, id);
