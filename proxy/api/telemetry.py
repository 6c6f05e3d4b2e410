"""Telemetry (telemetry.istio.io): traces, metrics and access logs of proxies."""

from typing import Literal

from pydantic import Field

from proxy.api.base import Duration, LabelSelector, Model, PolicyTargetReference

WorkloadMode = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]


class ProviderRef(Model):
    """An extension provider of the MeshConfig."""

    name: str = ""


class TracingSelector(Model):
    """Which direction."""

    mode: WorkloadMode = "CLIENT_AND_SERVER"


class LiteralTag(Model):
    """A fixed value."""

    value: str = ""


class EnvironmentTag(Model):
    """An environment variable of the proxy."""

    name: str = ""
    default_value: str = ""


class RequestHeaderTag(Model):
    """A request header."""

    name: str = ""
    default_value: str = ""


class FormatterTag(Model):
    """A command operator."""

    value: str = ""


class CustomTag(Model):
    """One of the four."""

    literal: LiteralTag | None = None
    environment: EnvironmentTag | None = None
    header: RequestHeaderTag | None = None
    formatter: FormatterTag | None = None


class Tracing(Model):
    """Tracing of one direction."""

    match: TracingSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    random_sampling_percentage: float | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] = Field(default_factory=dict)
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None
    disable_context_propagation: bool | None = None


class MetricSelector(Model):
    """A metric by Istio's name or its own, of one direction."""

    metric: (
        Literal[
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
        ]
        | None
    ) = None
    custom_metric: str | None = None
    mode: WorkloadMode = "CLIENT_AND_SERVER"


class TagOverride(Model):
    """What is done to a tag."""

    operation: Literal["UPSERT", "REMOVE"] = "UPSERT"
    value: str = ""


class MetricsOverrides(Model):
    """What is changed in metrics."""

    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: dict[str, TagOverride] = Field(default_factory=dict)


class Metrics(Model):
    """Metrics of some providers."""

    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricsOverrides, ...] = ()
    reporting_interval: Duration | None = None


class LogSelector(Model):
    """Which direction."""

    mode: WorkloadMode = "CLIENT_AND_SERVER"


class LogFilter(Model):
    """A CEL expression that must hold."""

    expression: str = ""


class AccessLogging(Model):
    """Access logs of one direction."""

    match: LogSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    disabled: bool | None = None
    filter: LogFilter | None = None


class Telemetry(Model):
    """Spec of a Telemetry."""

    selector: LabelSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
