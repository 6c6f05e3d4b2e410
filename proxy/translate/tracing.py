"""The tracing block of connection managers: where spans go, how many, and their tags."""

from dataclasses import dataclass, field
from typing import Any

from proxy.api.mesh import ExtensionProvider, OpenTelemetryTracing, ZipkinTracing
from proxy.api.telemetry import CustomTag, Tracing
from proxy.envoy.messages import typed
from proxy.translate.authorization import DRY_RUN_ALLOW, DRY_RUN_DENY
from proxy.translate.ext_authz import BadProvider, target
from proxy.translate.peer_metadata import Identity
from proxy.translate.telemetry import OWN, TelemetrySettings, matches, names, telemetries
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]

_OTLP = "envoy.config.trace.v3.OpenTelemetryConfig"
_EXPORTER_TIMEOUT = "10s"


@dataclass(slots=True)
class _Wanted:
    provider: str
    sampling: float
    disabled: bool = False
    istio_tags: bool = True
    tags: dict[str, CustomTag] = field(default_factory=dict)


def tracing_of(world: World, proxy: Proxy, direction: Direction, settings: TelemetrySettings) -> Json | None:
    """``HttpConnectionManager.Tracing`` of one direction; None: no spans."""
    if not world.mesh.enable_tracing:
        return None
    wanted = _wanted(world, proxy, direction, settings)
    provider = _provider(world, proxy, wanted.provider, settings)
    if wanted.disabled or provider is None:
        return None
    made: Json = {
        "client_sampling": {"value": 100},
        "overall_sampling": {"value": 100},
        "random_sampling": {"value": wanted.sampling},
        "provider": provider,
        "custom_tags": _tags(proxy, wanted, settings),
    }
    defaults = world.mesh.default_config.tracing
    if defaults and defaults.max_path_tag_length:
        made["max_path_tag_length"] = defaults.max_path_tag_length
    if direction is Direction.GATEWAY:
        made["spawn_upstream_span"] = True
    return made


def _wanted(world: World, proxy: Proxy, direction: Direction, settings: TelemetrySettings) -> _Wanted:
    mesh, defaults = world.mesh, world.mesh.default_config.tracing
    named = mesh.default_providers.tracing if mesh.default_providers else ()
    given = defaults.sampling if defaults else None
    wanted = _Wanted(named[0] if named else OWN, settings.sampling if given is None else given)
    wanted.tags = dict(defaults.custom_tags) if defaults else {}
    for spec in telemetries(world, proxy):
        for part in spec.tracing:
            if matches(part.match, direction):
                _merge(wanted, part)
    return wanted


def _merge(wanted: _Wanted, part: Tracing) -> None:
    if part.providers:
        wanted.provider = names(part.providers)[0]
    if part.random_sampling_percentage is not None:
        wanted.sampling = part.random_sampling_percentage
    if part.disable_span_reporting is not None:
        wanted.disabled = part.disable_span_reporting
    if part.enable_istio_tags is not None:
        wanted.istio_tags = part.enable_istio_tags
    if part.custom_tags:
        wanted.tags = dict(part.custom_tags)


def service_name(proxy: Proxy) -> str:
    """What spans call the proxy's workload: ``productpage.default``."""
    me = Identity.of(proxy)
    return f"{me.canonical or proxy.id}.{me.namespace}"


def _provider(world: World, proxy: Proxy, name: str, settings: TelemetrySettings) -> Json | None:
    found = next((p for p in world.mesh.extension_providers if p.name == name), None)
    if found is None:
        if name != OWN or not settings.otlp_cluster:
            return None
        grpc = {"envoy_grpc": {"cluster_name": settings.otlp_cluster}, "timeout": _EXPORTER_TIMEOUT}
        return _otlp({"grpc_service": grpc}, proxy)
    try:
        return _external(world, proxy, found)
    except BadProvider:
        return None


def _external(world: World, proxy: Proxy, provider: ExtensionProvider) -> Json | None:
    if provider.opentelemetry:
        return _otlp(_exporter(world, provider.opentelemetry), proxy)
    if provider.zipkin:
        return _zipkin(world, provider.zipkin)
    return None


def _otlp(exporter: Json, proxy: Proxy) -> Json:
    config = typed(_OTLP, {**exporter, "service_name": service_name(proxy)})
    return {"name": "envoy.tracers.opentelemetry", "typed_config": config}


def _exporter(world: World, provider: OpenTelemetryTracing) -> Json:
    to = target(provider, world.services)
    timeout = f"{provider.timeout.total_seconds():g}s" if provider.timeout else _EXPORTER_TIMEOUT
    if provider.http is None:
        return {"grpc_service": {"envoy_grpc": {"cluster_name": to.cluster, "authority": to.host}}}
    path = str(provider.http.get("path") or "/v1/traces")
    uri = {"uri": f"http://{to.host}{path}", "cluster": to.cluster, "timeout": timeout}
    headers = [
        {"header": {"key": str(h.get("name")), "value": str(h.get("value", ""))}}
        for h in provider.http.get("headers", ())
    ]
    return {"http_service": {"http_uri": uri, **({"request_headers_to_add": headers} if headers else {})}}


def _zipkin(world: World, provider: ZipkinTracing) -> Json:
    to = target(provider, world.services)
    config = {
        "collector_cluster": to.cluster,
        "collector_hostname": to.host,
        "collector_endpoint": provider.path or "/api/v2/spans",
        "collector_endpoint_version": "HTTP_JSON",
        "trace_id_128bit": not provider.enable_64bit_trace_id,
        "shared_span_context": False,
    }
    return {
        "name": "envoy.tracers.zipkin",
        "typed_config": typed("envoy.config.trace.v3.ZipkinConfig", config),
    }


def _tags(proxy: Proxy, wanted: _Wanted, settings: TelemetrySettings) -> list[Json]:
    made = {name: _custom(tag) for name, tag in wanted.tags.items()}
    if wanted.istio_tags:
        made |= _istio(proxy, settings)
    return [{"tag": name, **made[name]} for name in sorted(made)]


def _istio(proxy: Proxy, settings: TelemetrySettings) -> dict[str, Json]:
    facts = Identity.of(proxy).facts
    fixed = {
        "istio.canonical_revision": facts["revision"],
        "istio.canonical_service": facts["canonical"],
        "istio.mesh_id": settings.mesh_id,
        "istio.namespace": facts["namespace"],
        "istio.cluster_id": facts["cluster"],
    }
    made: dict[str, Json] = {name: {"literal": {"value": value}} for name, value in fixed.items()}
    for action, prefix in (("allow", DRY_RUN_ALLOW), ("deny", DRY_RUN_DENY)):
        tag = f"istio.authorization.dry_run.{action}_policy"
        made[f"{tag}.name"] = _rbac(f"{prefix}shadow_effective_policy_id")
        made[f"{tag}.result"] = _rbac(f"{prefix}shadow_engine_result")
    return made


def _rbac(key: str) -> Json:
    metadata_key = {"key": "envoy.filters.http.rbac", "path": [{"key": key}]}
    return {"metadata": {"kind": {"request": {}}, "metadata_key": metadata_key}}


def _custom(tag: CustomTag) -> Json:
    if tag.environment:
        e = tag.environment
        return {"environment": {"name": e.name, "default_value": e.default_value}}
    if tag.header:
        return {"request_header": {"name": tag.header.name, "default_value": tag.header.default_value}}
    if tag.formatter:
        return {"value": tag.formatter.value}
    return {"literal": {"value": tag.literal.value if tag.literal else ""}}
