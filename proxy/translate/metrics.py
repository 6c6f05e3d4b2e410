"""``istio_*`` metrics, made by Envoy's stats access logger.

Istio's counters of gRPC messages are not among them: no command operator gives these numbers alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from proxy.api.telemetry import Metrics
from proxy.envoy.messages import typed
from proxy.translate import metrics_tags
from proxy.translate.metrics_tags import Kind, Tags
from proxy.translate.telemetry import TelemetrySettings, matches, names, telemetries
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]

PROVIDER = "prometheus"
_LOGGER = "envoy.extensions.access_loggers.stats.v3.Config"
_ISTIO_NAMES = {
    "REQUEST_COUNT": "requests_total",
    "REQUEST_DURATION": "request_duration_milliseconds",
    "REQUEST_SIZE": "request_bytes",
    "RESPONSE_SIZE": "response_bytes",
    "TCP_OPENED_CONNECTIONS": "tcp_connections_opened_total",
    "TCP_CLOSED_CONNECTIONS": "tcp_connections_closed_total",
    "TCP_SENT_BYTES": "tcp_sent_bytes_total",
    "TCP_RECEIVED_BYTES": "tcp_received_bytes_total",
    "GRPC_REQUEST_MESSAGES": "request_messages_total",
    "GRPC_RESPONSE_MESSAGES": "response_messages_total",
}
_FAILED = ("UF", "UH", "NC", "UO", "URX")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and where its value comes from.

    Attributes:
        value: command operator; empty: each report counts one.
        unit: of a histogram; empty: a counter.
    """

    name: str
    value: str = ""
    unit: str = ""


_HTTP = (
    Metric("requests_total"),
    Metric("request_duration_milliseconds", "%DURATION%", "Milliseconds"),
    Metric("request_bytes", "%DOWNSTREAM_WIRE_BYTES_RECEIVED%", "Bytes"),
    Metric("response_bytes", "%DOWNSTREAM_WIRE_BYTES_SENT%", "Bytes"),
)
_OPENED = (Metric("tcp_connections_opened_total"),)
_CLOSED = (
    Metric("tcp_connections_closed_total"),
    Metric("tcp_sent_bytes_total", "%BYTES_SENT%"),
    Metric("tcp_received_bytes_total", "%BYTES_RECEIVED%"),
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What Telemetry changes: metrics that are off, and each metric's tags (None: removed)."""

    off: frozenset[str]
    tags: Mapping[str, Mapping[str, str | None]]


def metric_loggers(
    world: World, proxy: Proxy, direction: Direction, settings: TelemetrySettings, *, http: bool
) -> list[Json]:
    """The access loggers that count requests (``http``) or connections."""
    changes = changes_of(world, proxy, direction)
    key = ("metric loggers", proxy.id, direction, http)
    make = partial(_loggers, proxy, direction, changes, settings, http=http)
    return world.cells.kept(key, (proxy, changes, settings), make)


def _loggers(
    proxy: Proxy, direction: Direction, changes: Changes, settings: TelemetrySettings, *, http: bool
) -> list[Json]:
    def logger(kind: Kind, metrics: Iterable[Metric], condition: Json) -> list[Json]:
        tags = metrics_tags.tags(proxy, direction, kind)
        return _logger([m for m in metrics if m.name not in changes.off], tags, changes, condition, settings)

    if http:
        grpc = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
        other = {**grpc, "invert_match": True, "treat_missing_header_as_empty": True}
        return [
            *logger("http", _HTTP, {"header_filter": {"header": other}}),
            *logger("grpc", _HTTP, {"header_filter": {"header": grpc}}),
        ]
    connected, ended = (
        {"log_type_filter": {"types": [t]}} for t in ("TcpUpstreamConnected", "TcpConnectionEnd")
    )
    failed = {"and_filter": {"filters": [ended, {"response_flag_filter": {"flags": list(_FAILED)}}]}}
    opened = {"or_filter": {"filters": [connected, failed]}}
    return [*logger("tcp", _OPENED, opened), *logger("tcp", _CLOSED, ended)]


def changes_of(world: World, proxy: Proxy, direction: Direction) -> Changes:
    """All overrides that hold for a direction, narrower ones over wider ones."""
    off: dict[str, bool] = {}
    tags: dict[str, dict[str, str | None]] = {}
    for spec in telemetries(world, proxy):
        for metrics in spec.metrics:
            if not metrics.providers or PROVIDER in names(metrics.providers):
                _apply(metrics, direction, off, tags)
    return Changes(frozenset(name for name, value in off.items() if value), tags)


def _apply(
    metrics: Metrics, direction: Direction, off: dict[str, bool], tags: dict[str, dict[str, str | None]]
) -> None:
    for override in metrics.overrides:
        if not matches(override.match, direction):
            continue
        chosen = tuple(_ISTIO_NAMES.values())
        if override.match and override.match.custom_metric:
            chosen = (override.match.custom_metric.removeprefix("istio_"),)
        elif override.match and override.match.metric in _ISTIO_NAMES:
            chosen = (_ISTIO_NAMES[override.match.metric],)
        for name in chosen:
            if override.disabled is not None:
                off[name] = override.disabled
            for tag, change in override.tag_overrides.items():
                value = None if change.operation == "REMOVE" else expression(change.value)
                tags.setdefault(name, {})[tag] = value


def expression(cel: str) -> str:
    """A CEL expression as a format; a text in it is taken as it is."""
    text = cel.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if quoted and text[0] not in text[1:-1]:
        return metrics_tags.literal(text[1:-1])
    return f"%CEL({text})%"


def _logger(
    metrics: list[Metric], tags: Tags, changes: Changes, condition: Json, settings: TelemetrySettings
) -> list[Json]:
    if not metrics:
        return []
    config: Json = {
        "stats_scope": {
            "prefix": "istio",
            "enable_eviction": True,
            "max_counters": settings.max_counters,
            "max_histograms": settings.max_histograms,
        }
    }
    for metric in metrics:
        stat = {"name": metric.name, "tags": _tags(tags, changes.tags.get(metric.name, {}))}
        if metric.unit:
            histogram = {"stat": stat, "unit": metric.unit, "value_format": metric.value}
            config.setdefault("histograms", []).append(histogram)
        else:
            value: Json = {"value_format": metric.value} if metric.value else {"value_fixed": 1}
            config.setdefault("counters", []).append({"stat": stat, **value})
    name = "envoy.access_loggers.stats"
    return [{"name": name, "filter": condition, "typed_config": typed(_LOGGER, config)}]


def _tags(tags: Tags, changes: Mapping[str, str | None]) -> list[Json]:
    merged = {**tags, **changes}
    return [{"name": k, "value_format": v} for k, v in merged.items() if v is not None]
