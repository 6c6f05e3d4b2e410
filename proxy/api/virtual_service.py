"""VirtualService (networking.istio.io): how requests to a host are routed."""

from typing import Literal

from pydantic import Field

from proxy.api.base import Duration, Labels, Model, Percent, PortSelector, StringMatch


class Destination(Model):
    """A service, maybe a subset of it and one of its ports."""

    host: str = ""
    subset: str = ""
    port: PortSelector | None = None


class HeaderOperations(Model):
    """What is done to the headers of a message."""

    set: dict[str, str] = Field(default_factory=dict)
    add: dict[str, str] = Field(default_factory=dict)
    remove: tuple[str, ...] = ()


class Headers(Model):
    """Header operations on request and response."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HTTPMatchRequest(Model):
    """All fields given must hold."""

    name: str = ""
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = Field(default_factory=dict)
    port: int = 0
    source_labels: Labels = Field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    query_params: dict[str, StringMatch] = Field(default_factory=dict)
    ignore_uri_case: bool = False
    without_headers: dict[str, StringMatch] = Field(default_factory=dict)
    source_namespace: str = ""
    stat_prefix: str = ""


class HTTPRouteDestination(Model):
    """A destination with its share of the requests."""

    destination: Destination | None = None
    weight: int = 0
    headers: Headers | None = None


class HTTPRedirect(Model):
    """Answer with a redirect."""

    uri: str = ""
    prefix_rewrite: str = Field(default="", alias="prefixRewrite")
    authority: str = ""
    port: int | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    scheme: str = ""
    redirect_code: int = 0


class HTTPBody(Model):
    """A body as text or as base64."""

    string: str | None = None
    bytes: str | None = None


class HTTPDirectResponse(Model):
    """Answer with a fixed response."""

    status: int = 0
    body: HTTPBody | None = None


class Delegate(Model):
    """The VirtualService that has the routes."""

    name: str = ""
    namespace: str = ""


class RegexRewrite(Model):
    """RE2 expression and what replaces its matches."""

    match: str = ""
    rewrite: str = ""


class HTTPRewrite(Model):
    """What the upstream sees instead."""

    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRetry(Model):
    """Retry policy; ``attempts`` 0 disables."""

    attempts: int = 0
    per_try_timeout: Duration | None = None
    retry_on: str = ""
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


class Delay(Model):
    """Hold requests back."""

    percent: int = 0
    fixed_delay: Duration | None = None
    exponential_delay: Duration | None = None
    percentage: Percent | None = None


class Abort(Model):
    """Answer requests with an error."""

    percent: int = 0
    http_status: int | None = None
    grpc_status: str | None = None
    http2_error: str | None = Field(default=None, alias="http2Error")
    percentage: Percent | None = None


class HTTPFaultInjection(Model):
    """Faults injected before forwarding."""

    delay: Delay | None = None
    abort: Abort | None = None


class HTTPMirrorPolicy(Model):
    """A destination that gets copies."""

    destination: Destination | None = None
    percentage: Percent | None = None


class CorsPolicy(Model):
    """Cross-origin resource sharing."""

    allow_origin: tuple[str, ...] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] = "UNSPECIFIED"


class HTTPRoute(Model):
    """What happens to requests that one of ``match`` describes; ``websocket_upgrade`` is of old releases."""

    name: str = ""
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[HTTPRouteDestination, ...] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HTTPMirrorPolicy, ...] = ()
    mirror_percent: int | None = None
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None
    websocket_upgrade: bool | None = None


class RouteDestination(Model):
    """A destination with its share of the connections."""

    destination: Destination | None = None
    weight: int = 0


class TLSMatchAttributes(Model):
    """Which TLS connections; ``sni_hosts`` are required."""

    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_labels: Labels = Field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TLSRoute(Model):
    """Passed-through TLS by its server name."""

    match: tuple[TLSMatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class L4MatchAttributes(Model):
    """Which TCP connections."""

    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_subnet: str = ""
    source_labels: Labels = Field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TCPRoute(Model):
    """TCP connections by port and address."""

    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class VirtualService(Model):
    """Spec of a VirtualService."""

    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()
    export_to: tuple[str, ...] = ()
