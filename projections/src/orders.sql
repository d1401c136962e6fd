CREATE TABLE orders (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    partner BLOB,
    customer TEXT NOT NULL,
    licence BLOB NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    payment TEXT NOT NULL,
    total TEXT NOT NULL,
    request TEXT NOT NULL,
    quote TEXT NOT NULL,
    previous_order BLOB,
    renewal BLOB,
    paid_on TEXT,
    payment_reference TEXT,
    cancel_reason TEXT,
    refused_for BLOB,
    opened INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX orders_by_program ON orders (program, opened);
CREATE INDEX orders_by_partner ON orders (partner, opened);
CREATE INDEX orders_by_licence ON orders (licence, opened);
