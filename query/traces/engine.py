"""Reading traces: by id, by search; names of services and operations; the archive."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from query.traces import search
from query.traces.model import Trace, from_table
from query.traces.search import KINDS, TraceQuery
from vigla.errors import NotFound
from vigla.storage.api import QueryContext, Store, View
from vigla.storage.tables import LakeTables, timestamp

REACH_NS = 3600 * 1_000_000_000
"""A found trace is looked for this far from its matching span; by id, spans are found anywhere.

Each search reads the summaries of all traces within: a day of them takes longer than all the rest.
"""


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """A span name of a service with its kind, in Jaeger's words (empty: unspecified)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where the spans of some traces are: first and last start, services (None: not known).

    Most row groups lie outside.
    """

    first: int
    last: int
    services: list[str] | None


class TraceEngine:
    """Answers about traces from one store. Methods block; safe from any thread.

    Args:
        store: what is read.
        tables: of the store.
        max_spans: spans of one trace that are returned; the rest is cut with a warning.
    """

    def __init__(self, store: Store, tables: LakeTables, max_spans: int) -> None:
        self.store = store
        self.tables = tables
        self._max_spans = max_spans

    def find(self, query: TraceQuery, context: QueryContext) -> list[Trace]:
        """Whole traces that match, newest match first."""
        ids, rows = self.found_rows(query, context, [self.tables.spans])
        by_id = {trace.trace_id: trace for trace in self._traces(rows)}
        return [by_id[trace_id] for trace_id in ids if trace_id in by_id]

    def found_rows(
        self,
        query: TraceQuery,
        context: QueryContext,
        columns: Sequence[sa.ColumnElement[object] | sa.FromClause],
    ) -> tuple[list[str], pa.Table]:
        """The ids of matching traces, newest first, and these columns of all their spans."""
        with self.store.view(context) as view:
            ids = search.find(view, self.tables, query)
            return list(ids), self._rows(view, ids, columns)

    def select_of(
        self,
        traces: dict[str, int],
        context: QueryContext,
        build: Callable[[sa.Subquery], sa.SelectBase],
    ) -> pa.Table:
        """What a statement over the spans of some traces gives.

        Args:
            traces: ids, each with the start of one of its spans, Unix nanoseconds.
            context: bounds of the query.
            build: makes the statement of a subquery with the columns of ``spans``.
        """
        with self.store.view(context) as view:
            statement = sa.select(self.tables.spans).where(*self._within(view, traces))
            return view.select(build(statement.subquery("spans_of_traces")))

    def get(self, trace_id: str, context: QueryContext) -> Trace:
        """One trace by its id of 32 hex digits, from the archive if the lake no longer has it.

        Raises:
            NotFound: neither has it.
        """
        with self.store.view(context) as view:
            for table in (self.tables.spans, self.tables.archived_spans):
                rows = view.select(sa.select(table).where(table.c.trace_id == trace_id))
                if rows.num_rows:
                    return self._traces(rows)[0]
        raise NotFound("trace not found")

    def archive(self, trace_id: str, context: QueryContext) -> None:
        """Keep a trace out of retention's reach.

        Raises:
            NotFound: there is no such trace.
        """
        table = self.tables.spans
        rows = self.store.select(sa.select(table).where(table.c.trace_id == trace_id), context)
        if rows.num_rows:
            self.store.archive(rows)
        else:
            self.get(trace_id, context)  # archived already, or not found

    def services(self) -> list[str]:
        """Names of all services, sorted."""
        return sorted({service for service, _, _ in self.store.operations()})

    def operations(self, service: str, kind: str = "") -> list[Operation]:
        """Operations of a service, sorted; of one span kind if given."""
        names = ("", *KINDS[1:])
        found = {Operation(name, names[k]) for s, name, k in self.store.operations() if s == service}
        return sorted(o for o in found if not kind or o.kind == kind)

    def _rows(
        self,
        view: View,
        found: dict[str, int],
        columns: Sequence[sa.ColumnElement[object] | sa.FromClause],
    ) -> pa.Table:
        if not found:
            return view.select(sa.select(*columns).where(sa.false()))
        return view.select(sa.select(*columns).where(*self._within(view, found)))

    def _within(self, view: View, found: dict[str, int]) -> tuple[sa.ColumnElement[bool], ...]:
        """Conditions for the spans of these traces."""
        spans = self.tables.spans.c
        bounds = self._bounds(view, found)
        return (
            spans.trace_id.in_(list(found)),
            spans.ts >= timestamp(bounds.first),
            spans.ts <= timestamp(bounds.last),
            sa.true() if bounds.services is None else spans.service.in_(bounds.services),
        )

    def _bounds(self, view: View, found: dict[str, int]) -> _Bounds:
        """Where the traces' spans are, from the summaries: these are few rows."""
        traces = self.tables.traces.c
        low = max(min(found.values()) - REACH_NS, search.EARLIEST_NS)
        high = min(max(found.values()) + REACH_NS, search.LATEST_NS)
        services = sa.func.list_distinct(sa.func.flatten(sa.func.list(traces.services)))
        statement = sa.select(
            sa.func.count(traces.trace_id.distinct()),
            sa.func.epoch_ns(sa.func.min(traces.ts)),
            sa.func.epoch_ns(sa.func.max(traces.end_ts)),
            services,
        ).where(
            traces.trace_id.in_(list(found)),
            traces.end_ts >= timestamp(low),  # not their start: a trace may begin long before its match
            traces.ts <= timestamp(high),
        )
        summarised, first, last, names = (column[0].as_py() for column in view.select(statement).columns)
        if summarised < len(found):
            return _Bounds(low if first is None else min(first, low), high, None)
        return _Bounds(first, max(last, *found.values()), names)

    def _traces(self, rows: pa.Table) -> list[Trace]:
        return [self._cut(trace) for trace in from_table(rows, self.tables.promoted)]

    def _cut(self, trace: Trace) -> Trace:
        if len(trace.spans) <= self._max_spans:
            return trace
        kept = sorted(trace.spans, key=lambda span: span.ts)[: self._max_spans]
        warning = f"trace cut to its first {self._max_spans} spans (query.max_trace_spans)"
        return Trace(trace.trace_id, tuple(kept), (*trace.warnings, warning))


def merged(traces: Iterable[Trace]) -> list[Trace]:
    """Traces without repeats of an id, in order."""
    return list({trace.trace_id: trace for trace in traces}.values())
