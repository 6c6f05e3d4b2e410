"""The ways of topics into the lake: how records become rows, with what is remembered of earlier ones.

What is remembered (series that were stored, sums of changes, counters made of spans) is of rows that are in
the lake or on their way. When buffered rows are dropped, all of it begins anew, as after a restart.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ingester.decode import DeadLetters, Decoding
from ingester.deltas import Deltas
from ingester.derive import summaries
from ingester.derived.metrics import DerivedMetrics
from ingester.series import NumberedSeries
from vigla.bus.api import Topic
from vigla.clock import Clock
from vigla.model.spans import Promoted
from vigla.settings import IngesterSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.decode import AccessLogDecoder
from vigla.wire.otlp.metrics import DecodedMetrics, MetricDecoder
from vigla.wire.otlp.spans import SpanDecoder
from vigla.wire.remote_write.decode import RemoteWriteDecoder

STREAMED: tuple[Topic, ...] = ("traces", "access_logs", "remote_write", "metrics")
"""Records of the topic ``logs`` wait on the bus, within its bounds."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic's way into the lake.

    Attributes:
        decoding: records to rows.
        tables: what is stored of the decoded batches, by table.
        counter: metric that counts rows.
        counted: the tables whose rows it counts.
        order: held from the making of tables until they are visible; for streams that number their rows
            together.
    """

    topic: Topic
    decoding: Decoding[Any]
    tables: Callable[[list[Any]], dict[str, pa.Table]]
    counter: str
    counted: tuple[str, ...]
    order: AbstractContextManager[object] = field(default_factory=nullcontext)


class Streams:
    """All streams of an ingester, and what they share.

    Args:
        settings: of the ingester.
        promoted: attributes with a column of their own.
        metrics: where to count.
        clock: source of time.
        dead_letters: where undecodable records go.

    Attributes:
        series: numbers the samples of several topics.
        order: held while samples are numbered and buffered, and while ``Streams`` are replaced.
        derived: what is counted of spans and access logs; None when that is turned off.
    """

    def __init__(
        self,
        settings: IngesterSettings,
        promoted: tuple[Promoted, ...],
        metrics: Metrics,
        clock: Clock,
        dead_letters: DeadLetters,
    ) -> None:
        self.series = NumberedSeries(clock)
        self.order = threading.Lock()
        self.derived = DerivedMetrics(settings, clock) if settings.derived_metrics else None
        samples = ("vigla_ingester_samples_total", ("samples", "histograms"), self.order)
        self._streams: dict[Topic, Stream] = {
            "traces": Stream(
                "traces",
                Decoding("traces", SpanDecoder(promoted), dead_letters, metrics),
                self._span_tables,
                "vigla_ingester_spans_total",
                ("spans",),
            ),
            "access_logs": Stream(
                "access_logs",
                Decoding("access_logs", AccessLogDecoder(), dead_letters, metrics),
                self._access_log_tables,
                "vigla_ingester_access_logs_total",
                ("access_logs",),
            ),
            "remote_write": Stream(
                "remote_write",
                Decoding("remote_write", RemoteWriteDecoder(), dead_letters, metrics),
                lambda parts: self.series.tables([each for part in parts for each in part]),
                *samples,
            ),
            "metrics": Stream(
                "metrics",
                Decoding("metrics", MetricDecoder(settings.metric_names), dead_letters, metrics),
                _metric_tables(self.series),
                *samples,
            ),
        }

    def of(self, topic: Topic) -> Stream:
        """The stream of a topic of ``STREAMED``."""
        return self._streams[topic]

    def _span_tables(self, parts: list[pa.Table]) -> dict[str, pa.Table]:
        spans = pa.concat_tables(parts)
        if self.derived is not None:
            self.derived.observe_spans(spans)
        return {"spans": spans, "traces": summaries(spans)}

    def _access_log_tables(self, parts: list[pa.Table]) -> dict[str, pa.Table]:
        rows = pa.concat_tables(parts)
        if self.derived is not None:
            self.derived.observe_access_logs(rows)
        return {"access_logs": rows}


def _metric_tables(
    series: NumberedSeries,
) -> Callable[[list[list[DecodedMetrics]]], dict[str, pa.Table]]:
    deltas = Deltas()

    def tables(parts: list[list[DecodedMetrics]]) -> dict[str, pa.Table]:
        found = []
        for each in (each for part in parts for each in part):
            found.append(each.cumulative)
            if each.deltas is not None:
                found.append(deltas.accumulated(each.deltas))
        return series.tables(found)

    return tables
