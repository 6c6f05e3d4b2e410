"""One line per trace: what a list of search results shows, computed from columns without building spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from query.traces.engine import TraceEngine
from query.traces.model import ERROR
from query.traces.search import TraceQuery
from vigla.storage.api import QueryContext

COLUMNS = ("trace_id", "span_id", "parent_id", "ts", "dur", "service", "name", "status_code")


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One service's part in a trace."""

    name: str
    spans: int
    errors: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One trace. Root: the earliest span without a parent id, empty names if none; times in Unix ns.

    ``orphans`` counts spans whose parent is not among the trace's spans.
    """

    trace_id: str
    root_service: str
    root_name: str
    start: int
    end: int
    spans: int
    errors: int
    orphans: int
    services: tuple[ServiceSummary, ...]


def find_summaries(engine: TraceEngine, query: TraceQuery, context: QueryContext) -> list[TraceSummary]:
    """Summaries of the traces that match, newest match first."""
    columns = [engine.tables.spans.c[name] for name in COLUMNS]
    ids, rows = engine.found_rows(query, context, columns)
    by_id = {summary.trace_id: summary for summary in summarise(rows)}
    return [by_id[trace_id] for trace_id in ids if trace_id in by_id]


def summarise(rows: pa.Table) -> list[TraceSummary]:
    """Summaries of all traces in rows with ``COLUMNS``."""
    rows = _prepared(rows)
    services = _services(rows)
    roots = _roots(rows)
    grouped = rows.group_by("trace_id").aggregate(
        [("start", "min"), ("end", "max"), ("span_id", "count"), ("error", "sum"), ("orphan", "sum")]
    )
    return [
        TraceSummary(
            row["trace_id"],
            *roots.get(row["trace_id"], ("", "")),
            row["start_min"],
            row["end_max"],
            row["span_id_count"],
            row["error_sum"],
            row["orphan_sum"],
            tuple(services[row["trace_id"]]),
        )
        for row in grouped.to_pylist()
    ]


def _prepared(rows: pa.Table) -> pa.Table:
    start = rows.column("ts").cast(pa.timestamp("ns")).cast(pa.int64())
    error = pc.equal(rows.column("status_code"), ERROR).cast(pa.int64())
    present = rows.select(["trace_id", "span_id"]).group_by(["trace_id", "span_id"]).aggregate([])
    present = present.append_column("present", pa.repeat(1, present.num_rows))
    rows = (
        rows.drop_columns(["ts", "status_code"])
        .append_column("start", start)
        .append_column("end", pc.add(start, rows.column("dur")))
        .append_column("error", error)
    )
    joined = rows.join(present, keys=["trace_id", "parent_id"], right_keys=["trace_id", "span_id"])
    missing = pc.and_(pc.is_null(joined.column("present")), pc.not_equal(joined.column("parent_id"), 0))
    return joined.append_column("orphan", missing.cast(pa.int64()))


def _services(rows: pa.Table) -> dict[str, list[ServiceSummary]]:
    grouped = rows.group_by(["trace_id", "service"]).aggregate([("span_id", "count"), ("error", "sum")])
    found: dict[str, list[ServiceSummary]] = {}
    for row in grouped.sort_by("service").to_pylist():
        part = ServiceSummary(row["service"], row["span_id_count"], row["error_sum"])
        found.setdefault(row["trace_id"], []).append(part)
    return found


def _roots(rows: pa.Table) -> dict[str, tuple[str, str]]:
    parentless = rows.filter(pc.equal(rows.column("parent_id"), 0)).sort_by([("start", "descending")])
    columns: Sequence[list[str]] = [parentless.column(n).to_pylist() for n in ("trace_id", "service", "name")]
    # of equal keys the last stands, which is the earliest span
    return {trace_id: (service, name) for trace_id, service, name in zip(*columns, strict=True)}
