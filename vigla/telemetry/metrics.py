"""Every metric vigla has about itself: one table, from which the registry and the docs page are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric. ``help`` states meaning and unit."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "vigla_collector_accepted_total",
        "counter",
        "spans, log records, data points or access log entries accepted",
        ("signal", "transport"),
    ),
    Definition(
        "vigla_collector_rejected_total",
        "counter",
        "spans, log records, data points or series of samples rejected one by one",
        ("signal", "transport"),
    ),
    Definition(
        "vigla_collector_refused_total",
        "counter",
        "requests, or messages of a stream, refused as a whole",
        ("signal", "transport", "reason"),
    ),
    Definition("vigla_collector_inflight_bytes", "gauge", "request bodies held in memory", ()),
    Definition(
        "vigla_agent_forwarded_total", "counter", "records of the spool that the collector took", ("topic",)
    ),
    Definition(
        "vigla_agent_rejected_total",
        "counter",
        "spans, log records or data points that it left out of what it took",
        ("topic",),
    ),
    Definition(
        "vigla_agent_retries_total", "counter", "requests to the collector that are sent again", ("topic",)
    ),
    Definition(
        "vigla_agent_set_aside_total",
        "counter",
        "records that the collector refused for good, kept in `set-aside`",
        ("topic",),
    ),
    Definition(
        "vigla_agent_datagrams_dropped_total",
        "counter",
        "datagrams that held no Jaeger batch, or came when the spool was full",
        ("protocol", "reason"),
    ),
    Definition(
        "vigla_agent_lines_skipped_total",
        "counter",
        "lines of access log files that are in no known format, or too long",
    ),
    Definition("vigla_bus_lag_records", "gauge", "records on the bus that are not in the lake", ("topic",)),
    Definition("vigla_bus_backlog_bytes", "gauge", "bytes on the bus that are not in the lake", ("topic",)),
    Definition("vigla_bus_fsync_seconds", "histogram", "duration of one group commit"),
    Definition(
        "vigla_bus_damaged_total", "counter", "torn ends cut off and damaged segments set aside", ("topic",)
    ),
    Definition(
        "vigla_bus_spooled_total",
        "counter",
        "payloads kept on this machine's disk while Kafka was away",
        ("topic",),
    ),
    Definition(
        "vigla_bus_dead_letters_dropped_total",
        "counter",
        "undecodable records past the bound of the dead-letter topic",
        ("topic",),
    ),
    Definition("vigla_bus_lost_records_total", "counter", "records lost to damaged segments", ("topic",)),
    Definition("vigla_ingester_spans_total", "counter", "spans decoded"),
    Definition("vigla_ingester_access_logs_total", "counter", "access log entries decoded"),
    Definition("vigla_ingester_samples_total", "counter", "samples and native histograms decoded"),
    Definition(
        "vigla_ingester_derived_left_out",
        "gauge",
        "label sets that spans or access logs had past `ingester.derived_series`, once for each batch",
    ),
    Definition(
        "vigla_ingester_undecodable_total",
        "counter",
        "records on the bus that could not be decoded",
        ("topic",),
    ),
    Definition("vigla_ingester_decode_seconds", "histogram", "duration of decoding one batch"),
    Definition("vigla_ingester_flush_seconds", "histogram", "duration of one flush to the lake"),
    Definition("vigla_ingester_flush_failures_total", "counter", "flushes that failed and are repeated"),
    Definition(
        "vigla_ingester_fenced_total",
        "counter",
        "times that buffered rows were dropped, as another ingester had written some of them",
    ),
    Definition("vigla_storage_buffered_rows", "gauge", "rows in the hot buffer"),
    Definition("vigla_storage_commit_seconds", "histogram", "duration of writing and committing one flush"),
    Definition("vigla_storage_merged_files_total", "counter", "small files replaced by merging"),
    Definition("vigla_storage_deleted_rows_total", "counter", "rows removed by retention", ("table",)),
    Definition("vigla_storage_bytes", "gauge", "bytes of the lake's Parquet files"),
    Definition("vigla_query_seconds", "histogram", "duration of one HTTP query", ("endpoint",)),
    Definition(
        "vigla_event_loop_lateness_seconds",
        "histogram",
        "how much later than asked the event loop wakes a sleeper",
    ),
    Definition("vigla_rules_seconds", "histogram", "duration of evaluating one group of rules"),
    Definition("vigla_rules_failed_total", "counter", "evaluations of rules that failed"),
    Definition("vigla_rules_lost_total", "counter", "requests with samples of rules that were refused"),
    Definition(
        "vigla_notifications_sent_total", "counter", "notices of alerts a receiver took", ("receiver",)
    ),
    Definition(
        "vigla_notifications_dropped_total",
        "counter",
        "notices of alerts a receiver refused, or was too far behind for",
        ("receiver",),
    ),
    Definition("vigla_query_stopped_total", "counter", "queries ended before their answer", ("reason",)),
)


class Metrics:
    """The process's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._metrics = {d.name: _create(d, self.registry) for d in DEFINITIONS}

    def add(self, name: str, value: float = 1, **labels: str) -> None:
        """Increase a counter."""
        self._child(name, Counter, labels).inc(value)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._child(name, Gauge, labels).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one observation to a histogram."""
        self._child(name, Histogram, labels).observe(value)

    def _child(self, name: str, kind: type[M], labels: dict[str, str]) -> M:
        metric = self._metrics[name]
        if not isinstance(metric, kind):
            raise TypeError(f"{name} is no {kind.__name__}")
        return metric.labels(**labels) if labels else metric


_KINDS: dict[Kind, Callable[..., Counter | Gauge | Histogram]] = {
    "counter": Counter,
    "gauge": Gauge,
    "histogram": Histogram,
}


def _create(definition: Definition, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    return _KINDS[definition.kind](definition.name, definition.help, definition.labels, registry=registry)
