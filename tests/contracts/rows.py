"""Spans, summaries and access logs for tests, without a wire format."""

from typing import Any

import pyarrow as pa

from vigla.model.access_logs import access_log_schema
from vigla.model.partitions import Partition, Reach
from vigla.model.samples import histogram_schema, sample_schema
from vigla.model.spans import DEFAULT_PROMOTED, Promoted, span_schema, summary_schema
from vigla.storage.api import Writer

SECOND_NS = 10**9
START_NS = 1_700_000_000 * SECOND_NS

_SPAN: dict[str, Any] = {
    "trace_id": "0" * 31 + "1",
    "span_id": 1,
    "parent_id": 0,
    "ts": START_NS,
    "dur": 1_000_000,
    "service": "shop",
    "name": "GET /",
    "kind": 2,
    "status_code": 0,
    "status_message": "",
    "trace_state": "",
    "flags": 0,
    "scope": "{}",
    "resource": '{"service.name":"shop"}',
    "attrs": "{}",
}


def spans(*rows: dict[str, Any], promoted: tuple[Promoted, ...] = DEFAULT_PROMOTED) -> pa.Table:
    """One span for each mapping of columns to values; the rest is as in ``_SPAN``."""
    return pa.Table.from_pylist([{**_SPAN, **row} for row in rows], schema=span_schema(promoted))


def numbered(first: int, count: int, *, ts: int = START_NS, **same: Any) -> pa.Table:
    """Spans with ids ``first``.., one trace for ten, a millisecond apart."""
    return spans(
        *(
            {"span_id": n, "trace_id": f"{n // 10:032x}", "ts": ts + n * 1_000_000, **same}
            for n in range(first, first + count)
        )
    )


def summaries(*rows: dict[str, Any]) -> pa.Table:
    """One trace summary for each mapping."""
    row = {"ts": START_NS, "end_ts": START_NS, "spans": 1, "errors": 0, "services": ["shop"]}
    return pa.Table.from_pylist([{**row, **given} for given in rows], schema=summary_schema())


def access_logs(*rows: dict[str, Any]) -> pa.Table:
    """One access log entry for each mapping."""
    row = {"ts": START_NS, "service": "shop", "flags": []}
    return pa.Table.from_pylist([{**row, **given} for given in rows], schema=access_log_schema())


def samples(*rows: dict[str, Any]) -> pa.Table:
    """One sample for each mapping."""
    row = {"sid": 1, "ts": START_NS // 10**6, "value": 1.0}
    return pa.Table.from_pylist([{**row, **given} for given in rows], schema=sample_schema())


def histograms(*rows: dict[str, Any]) -> pa.Table:
    """One native histogram for each mapping."""
    row = {"sid": 1, "ts": START_NS // 10**6, "schema": 0, "count": 1.0, "sum": 1.0}
    return pa.Table.from_pylist([{**row, **given} for given in rows], schema=histogram_schema())


def upto(writer: Writer, **ends: int) -> dict[Partition, Reach]:
    """The stretches of topics' only partitions from where the writer is to these offsets."""
    partitions = {Partition(topic): end for topic, end in ends.items()}
    return {partition: Reach(writer.position(partition), end) for partition, end in partitions.items()}
