"""Rate, errors and duration of operations, counted from spans under the names that Tempo gives them.

Source: Tempo's metrics generator, processor ``span-metrics``. What is sampled away before it comes here is
not counted.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingester.derived.counters import Counters, Family, grouped, slowest, spread

CALLS, LATENCY = "traces_spanmetrics_calls_total", "traces_spanmetrics_latency"
BOUNDS = tuple(0.002 * 2**n for n in range(14))
"""Seconds."""

FAMILIES = (
    Family(CALLS, "counter", "Spans."),
    Family(LATENCY, "histogram", "Duration of spans.", "seconds", BOUNDS),
)
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
KINDS = pa.array([f"SPAN_KIND_{kind}" for kind in _KINDS])
CODES = pa.array([f"STATUS_CODE_{code}" for code in ("UNSET", "OK", "ERROR")])
_NS_PER_S = 1e9


def observe(counters: Counters, spans: pa.Table, now_ms: int) -> None:
    """Count the spans of a batch; columns as in ``vigla.model.spans``."""
    rows = spans.select(["trace_id", "service", "name", "kind", "status_code", "dur"]).combine_chunks()
    if not rows.num_rows:
        return
    named = {name: pc.cast(rows.column(name), pa.string()).combine_chunks() for name in ("service", "name")}
    labels, groups = grouped(
        {
            "service": named["service"],
            "span_name": named["name"],
            "span_kind": KINDS.take(rows.column("kind").combine_chunks()),
            "status_code": CODES.take(rows.column("status_code").combine_chunks()),
        }
    )
    seconds = rows.column("dur").to_numpy() / _NS_PER_S
    counters.add(CALLS, labels, np.bincount(groups, minlength=len(labels)).astype(np.float64), now_ms)
    examples = slowest(seconds, groups, rows.column("trace_id").combine_chunks())
    counters.add(LATENCY, labels, spread(seconds, groups, len(labels), BOUNDS), now_ms, examples)
