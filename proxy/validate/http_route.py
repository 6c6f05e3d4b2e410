"""HTTP routes of a VirtualService."""

from collections.abc import Sequence
from http import HTTPStatus

from proxy.api.base import Percent
from proxy.api.virtual_service import (
    Abort,
    CorsPolicy,
    Delay,
    Destination,
    HTTPDirectResponse,
    HTTPFaultInjection,
    HTTPMatchRequest,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRoute,
    HTTPRouteDestination,
    RouteDestination,
)
from proxy.validate import checks
from proxy.validate.headers import operations
from proxy.validate.spot import Spot

CLAIM = "@request.auth.claims"
_PSEUDO = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE *".split())  # noqa: SIM905
_RETRY_ON = frozenset(
    "5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream "  # noqa: SIM905
    "retriable-status-codes retriable-headers envoy-ratelimited http3-post-connect-failure cancelled "
    "deadline-exceeded internal resource-exhausted unavailable".split()
)
_GRPC = frozenset(
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "  # noqa: SIM905
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE "
    "DATA_LOSS UNAUTHENTICATED".split()
)
_STATUSES = frozenset(status.value for status in HTTPStatus)
_LARGE, _TOO_LARGE = 100 * 1024, 1024 * 1024


def http_route(at: Spot, route: HTTPRoute, *, is_delegate: bool) -> None:
    """One entry of ``http``."""
    _actions(at, route, is_delegate=is_delegate)
    for spot, match in at.each("match", route.match):
        _match(spot, match)
    for spot, target in at.each("route", route.route):
        operations(spot / "headers", target.headers)
        destination(spot / "destination", target.destination)
    weights(at / "route", route.route)
    operations(at / "headers", route.headers)
    _redirect(at / "redirect", route.redirect)
    _response(at / "directResponse", route.direct_response)
    _rewrite(at / "rewrite", route.rewrite)
    _retries(at / "retries", route.retries)
    _fault(at / "fault", route.fault)
    _cors(at / "corsPolicy", route.cors_policy)
    _mirrors(at, route)
    checks.duration(at / "timeout", route.timeout, zero=True)
    if route.websocket_upgrade is not None:
        (at / "websocketUpgrade").warn("has no effect: upgrades to WebSocket are always allowed")


def _actions(at: Spot, route: HTTPRoute, *, is_delegate: bool) -> None:
    given = {
        "route": bool(route.route),
        "redirect": route.redirect is not None,
        "directResponse": route.direct_response is not None,
        "delegate": route.delegate is not None,
    }
    if not any(given.values()):
        at.error("a route needs one of route, redirect, directResponse, delegate")
    checks.one_of(at, **given)
    for name in ("redirect", "directResponse"):
        if given[name]:
            checks.one_of(at, **{name: True, "rewrite": route.rewrite is not None})
    if given["redirect"] and route.fault is not None:
        at.error("fault cannot be used with redirect: no request is forwarded")
    if route.delegate is not None:
        if is_delegate:
            (at / "delegate").error("a delegate cannot delegate again: write its routes here")
        if not route.delegate.name:
            (at / "delegate" / "name").error("required: the VirtualService that has the routes")


def _match(at: Spot, match: HTTPMatchRequest) -> None:
    for name, value in (
        ("uri", match.uri),
        ("scheme", match.scheme),
        ("method", match.method),
        ("authority", match.authority),
    ):
        checks.string_match(at / name, value)
    for name, headers in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
        for spot, header, value in at.entries(name, headers):
            if header not in _PSEUDO and not header.startswith(CLAIM):
                checks.header_name(spot, header)
            if value.regex != "*":  # Istio reads it as "any value"
                checks.string_match(spot, value)
    for spot, parameter, value in at.entries("queryParams", match.query_params):
        if not parameter:
            spot.error("a query parameter's name must not be empty")
        checks.string_match(spot, value)
    if match.port:
        checks.port(at / "port", match.port)
    checks.labels(at / "sourceLabels", match.source_labels)


def destination(at: Spot, target: Destination | None) -> None:
    """A service to forward to."""
    if target is None:
        at.error("required: where to forward to")
        return
    if target.host == "*":
        (at / "host").error("* is no destination: name a service")
    else:
        checks.hostname(at / "host", target.host, wildcard=True)
    if target.subset:
        checks.label(at / "subset", target.subset, "subset name")
    checks.port_selector(at / "port", target.port)


def weights(at: Spot, targets: Sequence[HTTPRouteDestination | RouteDestination]) -> None:
    """Shares of several destinations."""
    for index, target in enumerate(targets):
        checks.not_negative(at / index / "weight", target.weight)
    if len(targets) > 1 and sum(target.weight for target in targets) == 0:
        at.error("the weights of several destinations must not all be 0")


def _redirect(at: Spot, redirect: HTTPRedirect | None) -> None:
    if redirect is None:
        return
    where = (redirect.uri, redirect.prefix_rewrite, redirect.authority, redirect.scheme)
    if not any(where) and redirect.port is None and redirect.derive_port is None:
        at.error("a redirect needs one of uri, prefixRewrite, authority, scheme, port, derivePort")
    checks.one_of(at, uri=bool(redirect.uri), prefixRewrite=bool(redirect.prefix_rewrite))
    checks.one_of(at, port=redirect.port is not None, derivePort=redirect.derive_port is not None)
    if redirect.redirect_code and not 300 <= redirect.redirect_code < 400:  # noqa: PLR2004
        (at / "redirectCode").error(
            f"{redirect.redirect_code} is no redirect: write 301, 302, 303, 307 or 308"
        )
    if redirect.scheme not in {"", "http", "https"}:
        (at / "scheme").error(f"{redirect.scheme!r} is not allowed: write http or https")
    if redirect.port:
        checks.port(at / "port", redirect.port)


def _response(at: Spot, response: HTTPDirectResponse | None) -> None:
    if response is None:
        return
    _status(at / "status", response.status)
    if response.body is None:
        return
    text, data = response.body.string, response.body.bytes
    checks.one_of(at / "body", string=text is not None, bytes=data is not None)
    size = len(text or data or "")
    if size > _TOO_LARGE:
        (at / "body").error(f"{size:,} bytes are too many: at most 1 MiB")
    elif size > _LARGE:
        (at / "body").warn(f"{size:,} bytes are held in every proxy: serve large bodies from a service")


def _status(at: Spot, status: int) -> None:
    if not 200 <= status < 600:  # noqa: PLR2004
        at.error(f"{status} is no HTTP status from 200 to 599")


def _rewrite(at: Spot, rewrite: HTTPRewrite | None) -> None:
    if rewrite is None:
        return
    pattern = rewrite.uri_regex_rewrite
    if not rewrite.uri and not rewrite.authority and pattern is None:
        at.error("a rewrite needs one of uri, authority, uriRegexRewrite")
    checks.one_of(at, uri=bool(rewrite.uri), uriRegexRewrite=pattern is not None)
    if pattern is not None:
        checks.regex(at / "uriRegexRewrite" / "match", pattern.match)
        if not pattern.rewrite:
            (at / "uriRegexRewrite" / "rewrite").error("required: what replaces the match")


def _retries(at: Spot, retries: HTTPRetry | None) -> None:
    if retries is None:
        return
    checks.not_negative(at / "attempts", retries.attempts)
    others = (retries.per_try_timeout, retries.retry_remote_localities)
    if retries.attempts == 0 and (retries.retry_on or any(value is not None for value in others)):
        at.error("attempts is 0, which disables retries: set attempts or leave the other fields out")
    checks.duration(at / "perTryTimeout", retries.per_try_timeout)
    checks.duration(at / "backoff", retries.backoff)
    for condition in retries.retry_on.split(",") if retries.retry_on else ():
        is_status = condition.isdecimal() and int(condition) in _STATUSES
        if not is_status and condition not in _RETRY_ON:
            known = ", ".join(sorted(_RETRY_ON))
            (at / "retryOn").error(f"unknown condition {condition!r}; known: a status code, {known}")


def _fault(at: Spot, fault: HTTPFaultInjection | None) -> None:
    if fault is None:
        return
    if fault.delay is None and fault.abort is None:
        at.error("a fault needs delay or abort")
    _delay(at / "delay", fault.delay)
    _abort(at / "abort", fault.abort)


def _delay(at: Spot, delay: Delay | None) -> None:
    if delay is None:
        return
    _share(at, delay.percentage, delay.percent)
    checks.one_of(
        at,
        fixedDelay=delay.fixed_delay is not None,
        exponentialDelay=delay.exponential_delay is not None,
    )
    if delay.exponential_delay is not None:
        (at / "exponentialDelay").error("is not supported: write fixedDelay")
    elif delay.fixed_delay is None:
        at.warn("has no effect without fixedDelay")
    checks.duration(at / "fixedDelay", delay.fixed_delay)


def _abort(at: Spot, abort: Abort | None) -> None:
    if abort is None:
        return
    _share(at, abort.percentage, abort.percent)
    given = {
        "httpStatus": abort.http_status is not None,
        "grpcStatus": abort.grpc_status is not None,
        "http2Error": abort.http2_error is not None,
    }
    checks.one_of(at, **given)
    if not any(given.values()):
        at.warn("has no effect without httpStatus or grpcStatus")
    if abort.http_status is not None:
        _status(at / "httpStatus", abort.http_status)
    if abort.grpc_status is not None and abort.grpc_status not in _GRPC:
        known = ", ".join(sorted(_GRPC))
        (at / "grpcStatus").error(f"unknown gRPC status {abort.grpc_status!r}; known: {known}")
    if abort.http2_error is not None:
        (at / "http2Error").error("is not supported: write httpStatus or grpcStatus")


def _share(at: Spot, percentage: Percent | None, percent: int) -> None:
    if percentage is not None:
        _percentage(at / "percentage" / "value", percentage)
    if percent:
        checks.percent(at / "percent", percent)
        (at / "percent").warn("is deprecated: write percentage.value")


def _percentage(at: Spot, percentage: Percent) -> None:
    checks.percent(at, percentage.value)
    if 0 < percentage.value < 0.0001:  # noqa: PLR2004
        at.error(f"{percentage.value:g} is too small: at least 0.0001, or 0")


def _mirrors(at: Spot, route: HTTPRoute) -> None:
    checks.one_of(at, mirror=route.mirror is not None, mirrors=bool(route.mirrors))
    if route.mirror is not None:
        destination(at / "mirror", route.mirror)
    for spot, mirror in at.each("mirrors", route.mirrors):
        destination(spot / "destination", mirror.destination)
        if mirror.percentage is not None:
            _percentage(spot / "percentage" / "value", mirror.percentage)
    if route.mirror_percentage is not None:
        _percentage(at / "mirrorPercentage" / "value", route.mirror_percentage)
        if route.mirrors:
            (at / "mirrorPercentage").error("is for mirror: give each of mirrors its percentage")
    if route.mirror_percent is not None:
        checks.percent(at / "mirrorPercent", route.mirror_percent)
        (at / "mirrorPercent").warn("is deprecated: write mirrorPercentage.value")


def _cors(at: Spot, policy: CorsPolicy | None) -> None:
    if policy is None:
        return
    if policy.allow_origin:
        (at / "allowOrigin").warn("is deprecated: write allowOrigins")
    for spot, origin in at.each("allowOrigins", policy.allow_origins):
        if not (origin.exact or origin.prefix or origin.regex):
            spot.error("an origin needs exact, prefix or regex")
        else:
            checks.string_match(spot, origin)
    for spot, method in at.each("allowMethods", policy.allow_methods):
        if method not in _METHODS:
            spot.error(f"{method!r} is no HTTP method; known: {', '.join(sorted(_METHODS))}")
    for name, headers in (("allowHeaders", policy.allow_headers), ("exposeHeaders", policy.expose_headers)):
        for spot, header in at.each(name, headers):
            checks.header_name(spot, header)
    checks.duration(at / "maxAge", policy.max_age)
    if policy.max_age is not None and policy.max_age.microseconds:
        (at / "maxAge").error("must be in whole seconds")
