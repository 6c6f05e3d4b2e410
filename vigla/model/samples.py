"""Columns of metrics: series by id, their samples, native histograms, exemplars and metadata.

The same names and types hold in Arrow batches, in the hot buffer, in Parquet files and in SQL.
Source: Prometheus' remote write messages, versions 1.0 and 2.0. ``ts`` is in milliseconds, as there.
"""

import pyarrow as pa

from vigla.model.spans import DICTIONARY, TEXT

TIME = pa.timestamp("ms")
_SAMPLE = (
    pa.field("sid", pa.int64()),  # series.sid
    pa.field("ts", TIME),
)
_SEQ = pa.field("seq", pa.int64())  # of samples of one series and time the greatest counts; null: none before
_START = pa.field("start", pa.int64())  # when the counter began, ms; null when not known

SAMPLE_TABLES = ("series", "samples", "histograms", "exemplars", "metric_metadata")


def series_schema() -> pa.Schema:
    """Schema of ``series``: one row for each series and UTC day of its samples, or more."""
    return pa.schema(
        (
            pa.field("sid", pa.int64()),  # 16 bits of the name's hash, then 48 of the labels'
            pa.field(
                "ts", TIME
            ),  # the day's last millisecond: a row is as old as the newest sample it is for
            pa.field("name", DICTIONARY),
            pa.field("labels", TEXT),  # JSON object, sorted, __name__ among them
            pa.field("seq", pa.int64()),  # grows with every row that is added
        )
    )


def sample_schema() -> pa.Schema:
    """Schema of ``samples``."""
    return pa.schema((*_SAMPLE, pa.field("value", pa.float64()), _START, _SEQ))


def histogram_schema() -> pa.Schema:
    """Schema of ``histograms``: native histograms, integer and float alike, with absolute counts.

    Spans are offset and length by turns, as sent. ``custom`` has the bounds of schema -53.
    """
    floats, ints = pa.list_(pa.float64()), pa.list_(pa.int64())
    numbers = [pa.field(name, pa.float64()) for name in ("zero_threshold", "zero_count", "count", "sum")]
    sides = [
        pa.field(f"{side}_{part}", kind)
        for side in ("positive", "negative")
        for part, kind in (("spans", ints), ("counts", floats))
    ]
    custom, hint = pa.field("custom", floats), pa.field("hint", pa.int32())
    return pa.schema((*_SAMPLE, pa.field("schema", pa.int32()), *numbers, *sides, custom, hint, _START, _SEQ))


def exemplar_schema() -> pa.Schema:
    """Schema of ``exemplars``; ``labels`` is a JSON object."""
    return pa.schema((*_SAMPLE, pa.field("value", pa.float64()), pa.field("labels", TEXT)))


def metadata_schema() -> pa.Schema:
    """Schema of ``metric_metadata``: what senders say of a metric's name; of several rows the last counts."""
    texts = [pa.field(name, DICTIONARY) for name in ("name", "type", "help", "unit")]
    return pa.schema((pa.field("ts", TIME), *texts))


def sample_schemas() -> dict[str, pa.Schema]:
    """Schemas by table."""
    schemas = series_schema(), sample_schema(), histogram_schema(), exemplar_schema(), metadata_schema()
    return dict(zip(SAMPLE_TABLES, schemas, strict=True))
