"""Search over times that lie far apart: newest first, whole traces, few statements."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingester.derive import summaries
from query.traces import search
from query.traces.engine import TraceEngine
from query.traces.search import TraceQuery
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.storage.api import QueryContext
from vigla.storage.memory import MemoryStore
from vigla.wire.otlp.spans import SpanDecoder

DAY = 24 * 3600 * 10**9
END = 1_790_000_000 * 10**9
DECODER = SpanDecoder(DEFAULT_PROMOTED)


def rows(*spans: tuple[int, int, str, int]) -> pa.Table:
    """Spans by trace number, span number, service and start."""
    request = ExportTraceServiceRequest()
    for trace, span, service, start in spans:
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        group.scope_spans.add().spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=span.to_bytes(8, "big"),
            name="op",
            start_time_unix_nano=start,
            end_time_unix_nano=start + 10**6,
        )
    return DECODER.decode([request.SerializeToString()])


class CountingStore(MemoryStore):
    """Counts statements."""

    selects = 0

    def select(self, statement: sa.SelectBase, context: QueryContext) -> pa.Table:
        """Count and run."""
        self.selects += 1
        return super().select(statement, context)


@pytest.fixture
def store() -> Iterator[CountingStore]:
    made = CountingStore(DEFAULT_PROMOTED)
    yield made
    made.close()


def found(store: MemoryStore, **query: object) -> list[tuple[int, int]]:
    """Numbers of the traces found, each with the number of its spans."""
    engine = TraceEngine(store, store.tables, 1000)
    asked = TraceQuery(**{"start": END - 30 * DAY, "end": END, **query})  # type: ignore[arg-type]
    return [(int(trace.trace_id, 16), len(trace.spans)) for trace in engine.find(asked, QueryContext())]


def test_newest_first_over_windows(store: CountingStore):
    spans = rows(*((n, n, "shop", END - n * DAY) for n in range(1, 21)))
    store.buffer({"spans": spans, "traces": summaries(spans)}, {})
    assert found(store, limit=12) == [(n, 1) for n in range(1, 13)]


def test_a_trace_that_began_days_before_its_match_is_whole(store: CountingStore):
    spans = rows((1, 1, "front", END - 5 * DAY), (1, 2, "back", END), (2, 3, "back", END))
    store.buffer({"spans": spans, "traces": summaries(spans)}, {})
    assert dict(found(store, service="back", start=END - DAY)) == {1: 2, 2: 1}


def test_traces_without_a_summary_are_found(store: CountingStore):
    spans = rows((1, 1, "front", END - DAY // 48), (1, 2, "back", END))
    other = rows((2, 3, "back", END))
    store.buffer({"spans": spans}, {})
    assert found(store, service="back") == [(1, 2)]
    store.buffer({"spans": other, "traces": summaries(other)}, {})
    assert dict(found(store, service="back")) == {1: 2, 2: 1}


def test_a_miss_over_a_long_range_takes_few_statements(store: CountingStore):
    assert found(store, service="none") == []
    assert store.selects <= 4


@given(st.integers(1, 2**62), st.integers(0, 200), st.integers(1, 200))
def test_windows_grow(searched: int, traces: int, wanted: int):
    length = search.next_length(searched, traces, wanted)
    assert searched * 0.499 <= length <= 8 * searched * 1.001 + 1
