CREATE TABLE payments (
    id text PRIMARY KEY,
    cents integer NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);
