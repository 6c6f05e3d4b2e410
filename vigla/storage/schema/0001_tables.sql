-- Fixed columns as in vigla.model.spans; promoted attributes are added by vigla.storage.schema.
CREATE TABLE lake.main.spans (
    trace_id VARCHAR, -- text: BLOB and UUID comparisons are wrong or slow in DuckDB 1.5
    span_id BIGINT,
    parent_id BIGINT,
    ts TIMESTAMP_NS,
    dur BIGINT,
    service VARCHAR,
    name VARCHAR,
    kind TINYINT,
    status_code TINYINT,
    status_message VARCHAR,
    trace_state VARCHAR,
    flags INTEGER,
    scope VARCHAR,
    resource VARCHAR,
    attrs VARCHAR,
    events VARCHAR,
    links VARCHAR,
    dropped VARCHAR
);

CREATE TABLE lake.main.archived_spans AS FROM lake.main.spans LIMIT 0;

CREATE TABLE lake.main.traces (
    trace_id VARCHAR,
    ts TIMESTAMP_NS,
    end_ts TIMESTAMP_NS,
    spans BIGINT,
    errors BIGINT,
    root_service VARCHAR,
    root_name VARCHAR,
    services VARCHAR[]
);

-- One row a flush and topic, in the flush's own transaction; the greatest counts.
CREATE TABLE lake.main.offsets (topic VARCHAR, next_offset BIGINT);
