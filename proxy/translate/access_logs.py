"""Access loggers: to this mesh's collector (ALS), to files, over OTLP, as Telemetry and MeshConfig say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from proxy.api.mesh import EnvoyFileAccessLog, EnvoyGrpcAccessLog, EnvoyOtelAls, ExtensionProvider
from proxy.api.telemetry import AccessLogging
from proxy.envoy.messages import typed
from proxy.translate import access_logs_format as formats
from proxy.translate.access_logs_tags import log_tags
from proxy.translate.ext_authz import BadProvider, target
from proxy.translate.telemetry import OWN, TelemetrySettings, matches, names, telemetries
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]

ENVOY = "envoy"
"""Istio's built-in provider: to standard output."""
HTTP_LOG, TCP_LOG, OTEL_LOG = "http_envoy_accesslog", "tcp_envoy_accesslog", "otel_envoy_accesslog"
_CEL = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_MESH_FILE = "envoy.mesh-config"


@dataclass(frozen=True, slots=True)
class _Place:
    world: World
    proxy: Proxy
    direction: Direction
    settings: TelemetrySettings
    http: bool


@dataclass(frozen=True, slots=True)
class _Log:
    provider: str
    filter: str = ""


def access_loggers(
    world: World, proxy: Proxy, direction: Direction, settings: TelemetrySettings, *, http: bool
) -> list[Json]:
    """The access loggers of a connection manager (``http``) or of ``tcp_proxy``, without those of metrics."""
    place, made = _Place(world, proxy, direction, settings, http), []
    for log in _logs(world, proxy, direction):
        try:
            found = _logger(place, log.provider)
        except BadProvider:
            continue
        if found is not None:
            made.append(_filtered(found, log.filter))
    return made


def _logs(world: World, proxy: Proxy, direction: Direction) -> tuple[_Log, ...]:
    mesh = world.mesh
    named = mesh.default_providers.access_logging if mesh.default_providers else ()
    by_default = named or ((OWN, _MESH_FILE) if mesh.access_log_file else (OWN,))
    logs: dict[str, _Log | None] = {name: _Log(name) for name in by_default}
    for spec in telemetries(world, proxy):
        parts = [part for part in spec.access_logging if matches(part.match, direction)]
        given = [name for part in parts for name in names(part.providers)]
        if given:
            logs = {name: logs.get(name, _Log(name)) for name in given}
        for part in parts:
            _merge(logs, part, names(part.providers) or tuple(logs))
    return tuple(log for log in logs.values() if log is not None)


def _merge(logs: dict[str, _Log | None], part: AccessLogging, providers: Iterable[str]) -> None:
    for name in providers:
        old = logs.get(name)
        expression = part.filter.expression if part.filter else old.filter if old else ""
        logs[name] = None if part.disabled else _Log(name, expression)


def _filtered(logger: Json, expression: str) -> Json:
    if not expression:
        return logger
    cel = {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": typed(_CEL, {"expression": expression}),
    }
    return {**logger, "filter": {"extension_filter": cel}}


def _logger(place: _Place, name: str) -> Json | None:
    mesh = place.world.mesh
    found = next((p for p in mesh.extension_providers if p.name == name), None)
    if found is not None:
        return _provided(place.world, found, http=place.http)
    if name in (ENVOY, _MESH_FILE):
        path = mesh.access_log_file if name == _MESH_FILE else "/dev/stdout"
        return _file(path, formats.of_mesh(mesh))
    if name == OWN and place.settings.als_cluster:
        return _own(place)
    return None


def _own(place: _Place) -> Json:
    tags = log_tags(place.proxy, place.direction, http=place.http)
    common = {
        **_common(HTTP_LOG if place.http else TCP_LOG, place.settings.als_cluster),
        "buffer_flush_interval": "1s",
        "custom_tags": [{"tag": tag, "value": value} for tag, value in tags.items()],
    }
    return _grpc({"common_config": common}, http=place.http)


def _provided(world: World, provider: ExtensionProvider, *, http: bool) -> Json | None:
    if provider.envoy_file_access_log:
        return _provided_file(provider.envoy_file_access_log)
    if provider.envoy_otel_als:
        return _otel(world, provider.envoy_otel_als)
    if http and provider.envoy_http_als:
        return _als(world, provider.envoy_http_als, HTTP_LOG, http=True)
    if not http and provider.envoy_tcp_als:
        return _als(world, provider.envoy_tcp_als, TCP_LOG, http=False)
    return None


def _file(path: str, log_format: Json) -> Json:
    config = typed(
        "envoy.extensions.access_loggers.file.v3.FileAccessLog", {"path": path, "log_format": log_format}
    )
    return {"name": "envoy.access_loggers.file", "typed_config": config}


def _provided_file(provider: EnvoyFileAccessLog) -> Json:
    given = provider.log_format
    if given is not None and given.labels is not None:
        log_format = formats.as_json(given.labels)
    else:
        log_format = formats.as_text(given.text if given else "")
    return _file(provider.path or "/dev/stdout", log_format)


def _common(log_name: str, cluster: str, authority: str = "") -> Json:
    envoy = {"cluster_name": cluster, **({"authority": authority} if authority else {})}
    return {
        "log_name": log_name,
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": envoy},
    }


def _grpc(config: Json, *, http: bool) -> Json:
    name, kind = ("http_grpc", "Http") if http else ("tcp_grpc", "Tcp")
    full = f"envoy.extensions.access_loggers.grpc.v3.{kind}GrpcAccessLogConfig"
    return {"name": f"envoy.access_loggers.{name}", "typed_config": typed(full, config)}


def _als(world: World, provider: EnvoyGrpcAccessLog, log_name: str, *, http: bool) -> Json:
    to = target(provider, world.services)
    common = _common(provider.log_name or log_name, to.cluster, to.host)
    if provider.filter_state_objects_to_log:
        common["filter_state_objects_to_log"] = list(provider.filter_state_objects_to_log)
    config: Json = {"common_config": common}
    if http:
        lists = {
            "additional_request_headers_to_log": provider.additional_request_headers_to_log,
            "additional_response_headers_to_log": provider.additional_response_headers_to_log,
            "additional_response_trailers_to_log": provider.additional_response_trailers_to_log,
        }
        config |= {key: list(value) for key, value in lists.items() if value}
    return _grpc(config, http=http)


def _otel(world: World, provider: EnvoyOtelAls) -> Json:
    to = target(provider, world.services)
    given = provider.log_format
    body = given.text if given and given.text else formats.TEXT
    config: Json = {
        "common_config": _common(provider.log_name or OTEL_LOG, to.cluster, to.host),
        "body": {"string_value": body},
    }
    if given and given.labels:
        values = [{"key": key, "value": {"string_value": str(value)}} for key, value in given.labels.items()]
        config["attributes"] = {"values": values}
    full = "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
    return {"name": "envoy.access_loggers.open_telemetry", "typed_config": typed(full, config)}
