"""Typed settings: one frozen section a role, from ``vigla.yaml`` and ``VIGLA_*``.

The only module that reads the environment and the settings file. Precedence: command line, environment
(``VIGLA_<SECTION>__<NAME>``), file, default. Unknown names are refused in all of them.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from vigla.errors import SettingsError

PREFIX = "VIGLA_"
CONFIG_VARIABLE = "VIGLA_CONFIG"
DEFAULT_FILE = Path("vigla.yaml")
_COLLECTION = ("[", "{")  # lists and mappings are written as YAML in the environment

Port = Annotated[int, Field(ge=0, le=65535)]
Bytes = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
MIB = 1024 * 1024


class Section(BaseModel):
    """A group of settings; cannot be changed once built."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CollectorSettings(Section):
    """Receivers and what they admit."""

    host: str = Field("127.0.0.1", description="address that all receivers listen on")
    otlp_grpc_port: Port = Field(4317, description="OTLP over gRPC; 0 picks a free port")
    otlp_http_port: Port = Field(4318, description="OTLP over HTTP; 0 picks a free port")
    max_body_bytes: Bytes = Field(32 * MIB, description="largest request body as sent")
    max_inflated_bytes: Bytes = Field(128 * MIB, description="largest request body after decompression")
    max_inflight_bytes: Bytes = Field(256 * MIB, description="bodies held in memory at once before 429")
    max_series_per_source: int = Field(
        1_000_000,
        gt=0,
        description="series of one `job` that remote write and OTLP metrics may write within an hour",
    )
    sampling_strategies: Path | None = Field(
        None, description="sampling strategies in Jaeger's file format; read again when it changes"
    )


class AgentSettings(Section):
    """`vigla agent`, whose receivers have the settings of `collector`."""

    collector: str = Field("", description="URL of the collector's OTLP over HTTP, `http://host:4318`")
    headers: dict[str, str] = Field({}, description="HTTP headers sent to it, as `authorization`")
    spool_bytes: Bytes = Field(
        1024 * MIB,
        description="bytes of one topic kept on disk while the collector is away; more are refused",
    )
    batch_bytes: Bytes = Field(4 * MIB, description="payload bytes sent to the collector at once")
    batch_wait_s: float = Field(0.2, ge=0, description="time in which a batch grows")
    max_retry_delay_s: Seconds = Field(30.0, description="longest wait between attempts")
    set_aside_bytes: Bytes = Field(
        64 * MIB, description="payloads kept for a look that the collector refused; the oldest go first"
    )
    jaeger_compact_port: Port = Field(
        6831, description="Jaeger's Thrift over UDP, compact; 0 picks a free port"
    )
    jaeger_binary_port: Port = Field(
        6832, description="Jaeger's Thrift over UDP, binary; 0 picks a free port"
    )
    sampling_port: Port = Field(5778, description="sampling strategies over HTTP; 0 picks a free port")
    access_logs: tuple[str, ...] = Field(
        (), description="files that Envoys write access logs to, with `*`; they are followed"
    )
    access_log_attributes: dict[str, str] = Field(
        {}, description="said of each line of these files, as `source_workload`"
    )
    node: str = Field("", description="column `node` of these lines; the host's name when empty")
    poll_interval_s: Seconds = Field(0.25, description="between looks whether these files grew")
    rotation_wait_s: Seconds = Field(
        5.0, description="a renamed file that did not grow for this long is left"
    )


class BusSettings(Section):
    """The bus, and its log on this machine's disk: all of the local one, and what waits for Kafka."""

    kind: Literal["local", "kafka"] = Field(
        "local", description="`kafka` takes the section `kafka` into account"
    )
    segment_bytes: Bytes = Field(64 * MIB, description="a log segment is closed at this size")
    max_backlog_bytes: Bytes = Field(
        4096 * MIB, description="bytes of one topic not yet in the lake before senders are refused"
    )
    min_free_bytes: int = Field(
        256 * MIB, ge=0, description="senders are refused when the disk has less free"
    )


Encoding = Literal["otlp_proto", "otlp_json", "jaeger_proto", "jaeger_json", "zipkin_json"]


class KafkaSource(Section):
    """A further Kafka topic that is read."""

    topic: str = Field(min_length=1, description="its name")
    encoding: Encoding = Field(
        "otlp_proto",
        description="of its records; `jaeger_proto`, `jaeger_json` and `zipkin_json` are of traces",
    )
    signal: Literal["traces", "metrics", "logs"] = Field("traces", description="what its records hold")


class KafkaSettings(Section):
    """Kafka as bus; used with `bus.kind: kafka`."""

    servers: tuple[str, ...] = Field(
        ("127.0.0.1:9092",), min_length=1, description="brokers to begin with, `host:port`"
    )
    traces_topic: str = Field("otlp_spans", min_length=1, description="topic of traces, `otlp_proto`")
    metrics_topic: str = Field("otlp_metrics", min_length=1, description="topic of metrics, `otlp_proto`")
    logs_topic: str = Field("otlp_logs", min_length=1, description="topic of logs, `otlp_proto`")
    access_logs_topic: str = Field("vigla_access_logs", min_length=1, description="topic of access logs")
    remote_write_topic: str = Field(
        "vigla_remote_write", min_length=1, description="topic of remote write requests"
    )
    dead_letter_topic: str = Field(
        "vigla_dead_letters", min_length=1, description="topic of records that cannot be decoded"
    )
    dead_letter_bytes: Bytes = Field(
        64 * MIB, description="what one process may add to it in an hour; more is only counted"
    )
    sources: tuple[KafkaSource, ...] = Field(
        (), description="topics that others write: `topic`, `encoding`, and `signal` unless it is traces"
    )
    create_topics: bool = Field(True, description="make our topics when they are missing")
    partitions: int = Field(6, gt=0, description="of topics that we make")
    replication_factor: int = Field(1, gt=0, description="of topics that we make; 3 is usual in production")
    group: str = Field(
        "vigla",
        min_length=1,
        description="consumer group; each kind of payload has its own, with this prefix",
    )
    instance: str = Field(
        "",
        description="name of this process among those of the group, kept over restarts; its partitions wait"
        " for it then",
    )
    session_timeout_s: Seconds = Field(
        10.0, description="silence after which a process's partitions go to others"
    )
    send_timeout_s: Seconds = Field(10.0, description="for Kafka to acknowledge before the sender is refused")
    max_pending_bytes: Bytes = Field(
        32 * MIB, description="bytes not acknowledged by Kafka yet; more go to the spool on disk"
    )
    max_record_bytes: Bytes = Field(
        16 * MIB, description="largest record; also the bound of topics that we make"
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "zstd", description="of what we write"
    )
    tls: bool = Field(False, description="speak TLS to the brokers")
    tls_ca: Path | None = Field(None, description="PEM file of authorities; empty: the system's")
    tls_certificate: Path | None = Field(None, description="PEM file of our certificate, for mutual TLS")
    tls_key: Path | None = Field(None, description="PEM file of its key")
    tls_verify_host: bool = Field(True, description="the broker's certificate must name its host")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "", description="how to log in; empty: not"
    )
    sasl_user: str = Field("", description="user name")
    sasl_password: SecretStr = Field(SecretStr(""), description="password")


MetricNames = Literal[
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
]


class IngesterSettings(Section):
    """Bus to lake."""

    batch_bytes: Bytes = Field(8 * MIB, description="payload bytes decoded together")
    flush_rows: int = Field(100_000, gt=0, description="rows in the hot buffer that start a flush")
    flush_interval_s: Seconds = Field(1.0, description="age of the hot buffer that starts a flush")
    promoted: tuple[str, ...] = Field(
        (),
        description="span attributes kept in their own column besides the default ones; `key` or `key:int`",
    )
    derived_metrics: bool = Field(
        True,
        description="make `traces_*` metrics of spans, and `istio_*` of access logs",
    )
    derived_interval_s: Seconds = Field(15.0, description="time between samples of derived metrics")
    derived_series: int = Field(
        200_000,
        gt=0,
        description="series made of spans, and as many of access logs; more are left out",
    )
    metric_names: MetricNames = Field(
        "UnderscoreEscapingWithSuffixes",
        description="how names of OTLP metrics become Prometheus' names; the strategies are Prometheus' own",
    )


class StorageSettings(Section):
    """The lake."""

    path: Path = Field(
        Path("vigla-data"), description="directory of the catalog, the Parquet files and the bus"
    )
    memory_limit_bytes: Bytes = Field(512 * MIB, description="memory the database engine may use")
    threads: int = Field(2, gt=0, description="threads the database engine may use")
    sample_cache_bytes: Bytes = Field(
        256 * MIB, description="memory for decoded samples of metrics that were queried lately"
    )
    merge_interval_s: Seconds = Field(15.0, description="time between merges of small files")
    retention_hours: float = Field(0.0, ge=0, description="rows older than this are deleted; 0 keeps all")
    retention_bytes: int = Field(
        0, ge=0, description="oldest rows are deleted above this size; 0 has no bound"
    )
    maintenance_interval_s: Seconds = Field(300.0, description="time between retention and clean-up runs")
    snapshot_grace_s: Seconds = Field(
        600.0,
        description="a replaced file is kept this long for queries that still read it; longer than any query",
    )


class QuerySettings(Section):
    """HTTP APIs and UI."""

    host: str = Field("127.0.0.1", description="address the query server listens on")
    http_port: Port = Field(16686, description="HTTP APIs and UI; 0 picks a free port")
    base_path: str = Field("", description="path prefix when a reverse proxy serves us below its root")
    timeout_s: Seconds = Field(30.0, description="deadline of one query")
    promql_timeout_s: Seconds = Field(120.0, description="deadline of one PromQL query")
    max_concurrent: int = Field(
        20, gt=0, description="queries that run at once; more are answered 429, PromQL ones wait"
    )
    admin_api: bool = Field(False, description="allow `/api/v1/admin/tsdb`: deleting samples, and snapshots")
    sql_max_rows: int = Field(100_000, gt=0, description="rows an SQL answer may have")
    max_trace_spans: int = Field(
        100_000, gt=0, description="spans returned of one trace; the rest is cut with a warning"
    )
    max_clock_skew_s: float = Field(
        0.0, ge=0, description="clock skew between hosts that is corrected; 0 turns it off"
    )


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]


class Tolerance(Section):
    """How many responses of a kind, in percent, make calls degraded or failing."""

    code: Pattern = Field(description="regular expression of response codes; `-` is no response")
    protocol: Pattern = Field(description="regular expression of http, grpc and span (calls without a proxy)")
    direction: Pattern = Field(".*", description="regular expression of inbound and outbound")
    degraded: float = Field(0.0, ge=0, description="percent from which calls are degraded")
    failure: float = Field(10.0, ge=0, description="percent from which they fail")


class HealthRule(Section):
    """Tolerances of some objects."""

    namespace: Pattern = Field(".*", description="regular expression of namespaces")
    kind: Pattern = Field(".*", description="regular expression of app, service and workload")
    name: Pattern = Field(".*", description="regular expression of names")
    tolerances: tuple[Tolerance, ...] = Field(
        (), description="in place of the general ones; the worst decides"
    )
    p95_ms: float | None = Field(None, ge=0, description="in place of the general one")


class HealthSettings(Section):
    """Health in graphs; the tolerances are Kiali's."""

    tolerances: tuple[Tolerance, ...] = Field(
        (
            Tolerance(code=r"5\d\d", protocol="http", degraded=0.0, failure=10.0),
            Tolerance(code=r"4\d\d", protocol="http", degraded=10.0, failure=20.0),
            Tolerance(code=r"[1-9]\d?", protocol="grpc", degraded=0.0, failure=10.0),
            Tolerance(code="-", protocol=".+", degraded=0.0, failure=10.0),
            Tolerance(code="error", protocol="span", degraded=0.0, failure=10.0),
        ),
        description="the worst decides",
    )
    rules: tuple[HealthRule, ...] = Field(
        (), description="of some objects; the first that matches holds, and the object's annotation before it"
    )
    p95_ms: float = Field(
        0.0, ge=0, description="milliseconds of p95 above which calls are degraded; 0 judges no latency"
    )
    record_interval_s: float = Field(
        60.0, ge=0, description="seconds between samples of `vigla_health_status`; 0 writes none"
    )


class ScrapeSettings(Section):
    """Scraping of metrics."""

    config: Path | None = Field(
        None,
        description="a `prometheus.yml`, whose `scrape_configs` are followed; read again when changed",
    )
    own: bool = Field(True, description="scrape this process's own metrics, as job `vigla`")
    mesh: bool = Field(True, description="scrape the mesh's own proxies, as job `envoy`")
    interval_s: Seconds = Field(15.0, description="between scrapes of the two")
    max_samples: int = Field(500_000, gt=0, description="samples one target may have; more fail its scrape")
    max_page_bytes: Bytes = Field(64 * MIB, description="bytes a page may have, inflated")


class RulesSettings(Section):
    """Recording and alerting rules."""

    files: tuple[str, ...] = Field(
        (), description="rule files in Prometheus' format, with `*`; read again when they change"
    )
    mesh: bool = Field(True, description="evaluate the built-in rules of the mesh too")
    evaluation_interval_s: Seconds = Field(60.0, description="between evaluations of groups that name none")
    timeout_s: Seconds = Field(120.0, description="deadline of one evaluation of a group")
    watch_interval_s: Seconds = Field(2.0, description="between looks whether a file changed")
    alertmanagers: tuple[str, ...] = Field(
        (), description="base URLs of Alertmanagers, which are told of alerts"
    )
    webhooks: tuple[str, ...] = Field(
        (), description="URLs told when an alert begins or ends, in Alertmanager's webhook format"
    )
    resend_interval_s: Seconds = Field(60.0, description="between repetitions of an alert to Alertmanagers")
    external_url: str = Field("", description="URL by which people reach this server; for links in alerts")
    external_labels: dict[str, str] = Field({}, description="labels of this server, for templates")


class TelemetrySettings(Section):
    """vigla's own health, logs and metrics."""

    host: str = Field("127.0.0.1", description="address of /healthz, /readyz and /metrics")
    port: Port = Field(13133, description="port of /healthz, /readyz and /metrics; 0 picks a free port")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe log line kept"
    )


class MeshSettings(Section):
    """The control plane of a service mesh."""

    enabled: bool = Field(False, description="serve configuration to Envoys")
    config: Path | None = Field(None, description="directory of Istio YAML that is followed")
    store_url: str = Field(
        "", description="database of configuration revisions (SQLAlchemy URL); empty: SQLite in storage.path"
    )
    host: str = Field("127.0.0.1", description="address of xDS")
    xds_port: Port = Field(15010, description="xDS over gRPC; 0 picks a free port")
    tls_host: str = Field(
        "", description="address of xDS over mutual TLS, for proxies of other machines; empty: not served"
    )
    tls_port: Port = Field(15012, description="its port; 0 picks a free one")
    tls_names: tuple[str, ...] = Field(
        (), description="names and addresses by which these proxies reach it, besides `tls_host`"
    )
    domain: str = Field("cluster.local", description="suffix of service names, and the trust domain")
    certificate_hours: float = Field(24.0, gt=0, description="lifetime of workload certificates")
    trace_sampling: float = Field(
        100.0, ge=0, le=100, description="percent of requests traced where no Telemetry says it"
    )


class Settings(Section):
    """All sections."""

    collector: CollectorSettings = CollectorSettings()
    agent: AgentSettings = AgentSettings()
    bus: BusSettings = BusSettings()
    kafka: KafkaSettings = KafkaSettings()
    ingester: IngesterSettings = IngesterSettings()
    storage: StorageSettings = StorageSettings()
    query: QuerySettings = QuerySettings()
    health: HealthSettings = HealthSettings()
    scrape: ScrapeSettings = ScrapeSettings()
    rules: RulesSettings = RulesSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    mesh: MeshSettings = MeshSettings()


def load(
    file: Path | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Build the settings once, at start.

    Args:
        file: settings file; without it ``VIGLA_CONFIG`` or ``vigla.yaml`` here, if there is one.
        overrides: values by section and name that win over all else (the command line's options).
        environment: variables to read; the process's own when not given.

    Raises:
        SettingsError: a name is unknown, a value is out of range, or the file cannot be read.
    """
    variables = os.environ if environment is None else environment
    merged: dict[str, dict[str, Any]] = {}
    for layer in (_from_file(file, variables), _from_environment(variables), overrides or {}):
        for section, values in layer.items():
            merged.setdefault(section, {}).update(values)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def _from_file(file: Path | None, variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    named = file or (Path(variables[CONFIG_VARIABLE]) if CONFIG_VARIABLE in variables else None)
    path = named or DEFAULT_FILE
    if named is None and not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"cannot read settings from {path}: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise SettingsError(
            f"{path}: expected sections ({', '.join(Settings.model_fields)}) with names below them"
        )
    return content


def _from_environment(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for variable, text in variables.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        section, separator, name = variable.removeprefix(PREFIX).lower().partition("__")
        if not separator or section not in Settings.model_fields:
            raise SettingsError(
                f"unknown variable {variable}: expected {PREFIX}<SECTION>__<NAME>, with a section of "
                f"{', '.join(Settings.model_fields)}"
            )
        found.setdefault(section, {})[name] = yaml.safe_load(text) if text[:1] in _COLLECTION else text
    return found


def _explain(error: ValidationError) -> str:
    lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return "settings: " + "; ".join(lines)
