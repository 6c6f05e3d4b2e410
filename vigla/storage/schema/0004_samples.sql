-- Columns as in vigla.model.samples.
CREATE TABLE lake.main.series (sid BIGINT, ts TIMESTAMP_MS, name VARCHAR, labels VARCHAR, seq BIGINT);

CREATE TABLE lake.main.samples (sid BIGINT, ts TIMESTAMP_MS, value DOUBLE, start BIGINT, seq BIGINT);

CREATE TABLE lake.main.histograms (
    sid BIGINT,
    ts TIMESTAMP_MS,
    schema INTEGER,
    zero_threshold DOUBLE,
    zero_count DOUBLE,
    count DOUBLE,
    sum DOUBLE,
    positive_spans BIGINT[],
    positive_counts DOUBLE[],
    negative_spans BIGINT[],
    negative_counts DOUBLE[],
    custom DOUBLE[],
    hint INTEGER,
    start BIGINT,
    seq BIGINT
);

CREATE TABLE lake.main.exemplars (sid BIGINT, ts TIMESTAMP_MS, value DOUBLE, labels VARCHAR);

CREATE TABLE lake.main.metric_metadata (
    ts TIMESTAMP_MS, name VARCHAR, type VARCHAR, help VARCHAR, unit VARCHAR
);
