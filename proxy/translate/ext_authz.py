"""External authorizers of the MeshConfig as Envoy's ext_authz filters."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from proxy.api.mesh import ExtAuthzGrpc, ExtAuthzHttp, ExtensionProvider, RequestBody, ServiceProvider
from proxy.envoy.messages import typed
from proxy.registry.model import Service

Json = dict[str, Any]

PREFIX = "istio-ext-authz"
SHADOW_PREFIX = "istio_ext_authz_"
DEFAULT_TIMEOUT = "600s"
_MAX_PORT = 65535


class BadProvider(ValueError):
    """A provider is missing or says what cannot be."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a provider is reached: its host and the cluster that calls go to."""

    host: str
    cluster: str


def target(provider: ServiceProvider, services: Iterable[Service]) -> Target:
    """The cluster of a provider's service.

    Raises:
        BadProvider: its port is none, or its service is not known or in several namespaces.
    """
    if not 0 < provider.port <= _MAX_PORT:
        raise BadProvider(f"port {provider.port}: write one from 1 to {_MAX_PORT}")
    namespace, slash, host = provider.service.partition("/")
    if not slash:
        namespace, host = "", provider.service
    found = {s.namespace for s in services if s.hostname == host and namespace in ("", s.namespace)}
    if not found:
        raise BadProvider(f"service {provider.service!r} is not known; write [namespace/]host")
    if len(found) > 1:
        raise BadProvider(f"service {host!r} is in {', '.join(sorted(found))}; write namespace/host")
    return Target(host, f"outbound|{provider.port}||{host}")


def http_filter(provider: ExtensionProvider | None, services: Iterable[Service]) -> Json:
    """The HTTP filter of a provider.

    Raises:
        BadProvider: it is missing, no authorizer, or wrong.
    """
    if provider and provider.envoy_ext_authz_http:
        return _filter("http", _http(provider.name, provider.envoy_ext_authz_http, services))
    if provider and provider.envoy_ext_authz_grpc:
        grpc = provider.envoy_ext_authz_grpc
        made = _grpc(provider.name, grpc, services, "http")
        made |= _body(grpc.include_request_body_in_check) | _status(grpc.status_on_error)
        if grpc.clear_route_cache:
            made["clear_route_cache"] = True
        return _filter("http", made)
    raise BadProvider("no extension provider of this name is an external authorizer")


def network_filter(provider: ExtensionProvider | None, services: Iterable[Service]) -> Json | None:
    """The network filter of a provider; None for one that speaks HTTP, which knows no connections.

    Raises:
        BadProvider: it is missing, no authorizer, or wrong.
    """
    if provider and provider.envoy_ext_authz_grpc:
        _status(provider.envoy_ext_authz_grpc.status_on_error)
        made = _grpc(provider.name, provider.envoy_ext_authz_grpc, services, "network")
        return _filter("network", {**made, "stat_prefix": "tcp."})
    http_filter(provider, services)
    return None


def _filter(level: str, config: Json) -> Json:
    kind = f"envoy.extensions.filters.{level}.ext_authz.v3.ExtAuthz"
    return {"name": f"envoy.filters.{level}.ext_authz", "typed_config": typed(kind, config)}


def _common(name: str, provider: ExtAuthzHttp | ExtAuthzGrpc, level: str) -> Json:
    made: Json = {
        "transport_api_version": "V3",
        "filter_enabled_metadata": {
            "filter": f"envoy.filters.{level}.rbac",
            "path": [{"key": f"{SHADOW_PREFIX}shadow_effective_policy_id"}],
            "value": {"string_match": {"prefix": f"{PREFIX}-{name}"}},
        },
    }
    if provider.fail_open:
        made["failure_mode_allow"] = True
    return made


def _timeout(provider: ServiceProvider) -> str:
    return DEFAULT_TIMEOUT if provider.timeout is None else f"{provider.timeout.total_seconds():g}s"


def _grpc(name: str, provider: ExtAuthzGrpc, services: Iterable[Service], level: str) -> Json:
    found = target(provider, services)
    envoy = {"cluster_name": found.cluster, "authority": found.host}
    service = {"envoy_grpc": envoy, "timeout": _timeout(provider)}
    return {**_common(name, provider, level), "grpc_service": service}


def _http(name: str, provider: ExtAuthzHttp, services: Iterable[Service]) -> Json:
    found = target(provider, services)
    if provider.path_prefix and not provider.path_prefix.startswith("/"):
        raise BadProvider(f"pathPrefix {provider.path_prefix!r} must begin with /")
    uri = {"uri": f"http://{found.host}", "cluster": found.cluster, "timeout": _timeout(provider)}
    service: Json = {"server_uri": uri, "path_prefix": provider.path_prefix}
    extra = sorted(provider.include_additional_headers_in_check.items())
    if extra:
        service["authorization_request"] = {"headers_to_add": [{"key": k, "value": v} for k, v in extra]}
    response = {
        "allowed_upstream_headers": provider.headers_to_upstream_on_allow,
        "allowed_client_headers": provider.headers_to_downstream_on_deny,
        "allowed_client_headers_on_success": provider.headers_to_downstream_on_allow,
    }
    if any(response.values()):
        service["authorization_response"] = {k: _names(v) for k, v in response.items() if v}
    made = {**_common(name, provider, "http"), "http_service": service}
    asked = provider.include_request_headers_in_check or provider.include_headers_in_check
    if asked:
        made["allowed_headers"] = _names(asked)
    if provider.clear_route_cache:
        made["clear_route_cache"] = True
    return made | _body(provider.include_request_body_in_check) | _status(provider.status_on_error)


def _names(values: Iterable[str]) -> Json:
    return {"patterns": [_name(value) for value in values]}


def _name(value: str) -> Json:
    if value == "*":
        return {"safe_regex": {"regex": ".+"}}
    if value.startswith("*"):
        return {"suffix": value[1:], "ignore_case": True}
    if value.endswith("*"):
        return {"prefix": value[:-1], "ignore_case": True}
    return {"exact": value, "ignore_case": True}


def _body(body: RequestBody | None) -> Json:
    if body is None:
        return {}
    return {
        "with_request_body": {
            "max_request_bytes": body.max_request_bytes,
            "allow_partial_message": body.allow_partial_message,
            "pack_as_bytes": body.pack_as_bytes,
        }
    }


def _status(code: str) -> Json:
    if not code:
        return {}
    if not code.isdigit() or int(code) not in {s.value for s in HTTPStatus if s != HTTPStatus.CONTINUE}:
        raise BadProvider(f"statusOnError {code!r} is no HTTP status; write one like 403")
    return {"status_on_error": {"code": int(code)}}
