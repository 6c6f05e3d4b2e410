"""What happens to a request: forwarding, redirects, fixed answers, changed headers."""

from typing import Any

from proxy.api.virtual_service import (
    Destination,
    HeaderOperations,
    Headers,
    HTTPDirectResponse,
    HTTPRedirect,
    HTTPRewrite,
    HTTPRoute,
)
from proxy.translate.faults import fraction

Json = dict[str, Any]
_AUTHORITY = ("host", ":authority")
_CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def header_changes(headers: Headers | None) -> Json:
    """The ``*_headers_to_add`` and ``*_headers_to_remove`` fields; the authority is left out."""
    made: Json = {}
    if headers is None:
        return made
    for kind, operations in (("request", headers.request), ("response", headers.response)):
        if operations is None:
            continue
        if added := _added(operations):
            made[f"{kind}_headers_to_add"] = added
        if operations.remove:
            made[f"{kind}_headers_to_remove"] = list(operations.remove)
    return made


def authority(headers: Headers | None) -> str:
    """The host that the request headers set; empty: none."""
    if headers is None or headers.request is None:
        return ""
    return next((v for k, v in headers.request.set.items() if k.lower() in _AUTHORITY), "")


def redirect_action(redirect: HTTPRedirect, port: int) -> Json:
    """``RedirectAction`` for a listener's port."""
    made: Json = {"response_code": _CODES.get(redirect.redirect_code, _CODES[301])}
    if redirect.uri:
        made["path_redirect"] = redirect.uri
    elif redirect.prefix_rewrite:
        made["prefix_rewrite"] = redirect.prefix_rewrite
    if redirect.authority:
        made["host_redirect"] = redirect.authority
    if redirect.scheme:
        made["scheme_redirect"] = redirect.scheme
    if target := _redirect_port(redirect, port):
        made["port_redirect"] = target
    return made


def direct_response(response: HTTPDirectResponse) -> Json:
    """``DirectResponseAction``."""
    made: Json = {"status": response.status}
    if response.body is not None and response.body.string is not None:
        made["body"] = {"inline_string": response.body.string}
    elif response.body is not None and response.body.bytes is not None:
        made["body"] = {"inline_bytes": response.body.bytes}
    return made


def rewritten(rewrite: HTTPRewrite) -> Json:
    """The fields of ``RouteAction`` that change path and host."""
    made: Json = {}
    regex = rewrite.uri_regex_rewrite
    if regex is not None:
        made["regex_rewrite"] = {"pattern": {"regex": regex.match}, "substitution": regex.rewrite}
    elif rewrite.uri:
        made["prefix_rewrite"] = rewrite.uri
    if rewrite.authority:
        made["host_rewrite_literal"] = rewrite.authority
    return made


def mirrored(rule: HTTPRoute) -> list[tuple[Destination, Json]]:
    """Destinations that get copies, each with its share as ``FractionalPercent``; none where it is zero."""
    found = [(m.destination, fraction(m.percentage, 100)) for m in rule.mirrors]
    if rule.mirror is not None:
        whole = 100 if rule.mirror_percent is None else rule.mirror_percent
        found.insert(0, (rule.mirror, fraction(rule.mirror_percentage, whole)))
    return [(destination, share) for destination, share in found if destination and share["numerator"]]


def _added(operations: HeaderOperations) -> list[Json]:
    kinds = (
        (operations.set, "OVERWRITE_IF_EXISTS_OR_ADD"),
        (operations.add, "APPEND_IF_EXISTS_OR_ADD"),
    )
    return [
        {"header": {"key": key, "value": value}, "append_action": action}
        for values, action in kinds
        for key, value in sorted(values.items())
        if key.lower() not in _AUTHORITY
    ]


def _redirect_port(redirect: HTTPRedirect, port: int) -> int:
    target = redirect.port or 0
    if redirect.derive_port == "FROM_REQUEST_PORT":
        target = port
    # A URL does not name the default port of its scheme.
    return 0 if target == _DEFAULT_PORTS.get(redirect.scheme) else target
