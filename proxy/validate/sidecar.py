"""Sidecar and ProxyConfig."""

from proxy.api.base import Port
from proxy.api.gateway import ServerTLSSettings
from proxy.api.sidecar import (
    IstioEgressListener,
    IstioIngressListener,
    OutboundTrafficPolicy,
    ProxyConfig,
    Sidecar,
)
from proxy.validate import checks, scope
from proxy.validate.addresses import UNIX, bind, ip, unix
from proxy.validate.connections import connection_pool
from proxy.validate.gateway import namespaced_host, server_tls
from proxy.validate.http_route import destination
from proxy.validate.spot import Spot

_LOCAL = frozenset({"", "127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104 (names that Istio allows)


def proxy_config(at: Spot, spec: ProxyConfig) -> None:
    """All rules of ProxyConfig."""
    scope.match_labels(at / "selector", spec.selector)
    checks.not_negative(at / "concurrency", spec.concurrency)


def sidecar(at: Spot, spec: Sidecar) -> None:
    """All rules of Sidecar."""
    scope.workload_selector(at / "workloadSelector", spec.workload_selector)
    if not (spec.ingress or spec.egress or spec.outbound_traffic_policy or spec.inbound_connection_pool):
        at.error("it needs one of ingress, egress, outboundTrafficPolicy, inboundConnectionPool")
    for spot, inbound in at.each("ingress", spec.ingress):
        _ingress(spot, inbound)
    _unique_ports(at, "ingress", [listener.port for listener in spec.ingress])
    connection_pool(at / "inboundConnectionPool", spec.inbound_connection_pool)
    for index, outbound in enumerate(spec.egress):
        _egress(at / "egress" / index, outbound)
        if outbound.port is None and index < len(spec.egress) - 1:
            (at / "egress" / index).error(
                "a listener without port takes the rest: it must be the last, and the only one"
            )
    _unique_ports(at, "egress", [listener.port for listener in spec.egress])
    sockets = [
        (at / "egress" / i / "bind", o.bind) for i, o in enumerate(spec.egress) if o.bind.startswith(UNIX)
    ]
    checks.unique(sockets, "socket")
    if spec.outbound_traffic_policy is not None:
        _outbound(at / "outboundTrafficPolicy", spec.outbound_traffic_policy)


def _unique_ports(at: Spot, name: str, ports: list[Port | None]) -> None:
    found: list[tuple[Spot, object]] = [
        (at / name / index / "port" / "number", port.number)
        for index, port in enumerate(ports)
        if port is not None and port.number
    ]
    checks.unique(found, "port")


def _port(at: Spot, port: Port, *, socket: bool) -> None:
    if port.name:
        checks.label(at / "name", port.name, "port name")
    checks.protocol(at / "protocol", port.protocol)
    if not socket:
        checks.port(at / "number", port.number)
    if port.target_port:
        (at / "targetPort").error("has no effect in a Sidecar: remove it")


def _ingress(at: Spot, listener: IstioIngressListener) -> None:
    if listener.port is None:
        (at / "port").error("required: the port that the workload serves")
        return
    _port(at / "port", listener.port, socket=False)
    if listener.bind:
        ip(at / "bind", listener.bind)
    if listener.default_endpoint:
        _default_endpoint(at / "defaultEndpoint", listener.default_endpoint)
    if listener.tls is not None:
        _ingress_tls(at / "tls", listener.tls, listener.port.protocol)
    connection_pool(at / "connectionPool", listener.connection_pool)
    pool = listener.connection_pool
    if pool is not None and pool.http is not None and not checks.is_http(listener.port.protocol):
        (at / "connectionPool" / "http").warn(f"has no effect with protocol {listener.port.protocol}")


def _default_endpoint(at: Spot, address: str) -> None:
    if address.startswith(UNIX):
        unix(at, address)
        return
    host, _, port = address.rpartition(":")
    if host.removeprefix("[").removesuffix("]") not in _LOCAL or not port.isdecimal():
        at.error(
            f"{address!r} is not allowed: write 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:///path"
        )
    else:
        checks.port(at, int(port))


def _ingress_tls(at: Spot, tls: ServerTLSSettings, protocol: str) -> None:
    for name, value in (
        ("subjectAltNames", tls.subject_alt_names),
        ("httpsRedirect", tls.https_redirect),
        ("credentialName", tls.credential_name),
        ("credentialNames", tls.credential_names),
        ("tlsCertificates", tls.tls_certificates),
    ):
        if value:
            (at / name).error("is not supported in a Sidecar")
    if tls.mode in {"ISTIO_MUTUAL", "AUTO_PASSTHROUGH"}:
        (at / "mode").error(f"{tls.mode} is not supported in a Sidecar: write SIMPLE or MUTUAL")
    if not checks.is_tls(protocol):
        at.error(f"cannot be used with protocol {protocol or '(none)'}: write HTTPS or TLS")
    server_tls(at, tls)


def _egress(at: Spot, listener: IstioEgressListener) -> None:
    port = listener.port
    if port is not None:
        socket = listener.bind.startswith(UNIX)
        _port(at / "port", port, socket=socket)
        bind(at, listener.bind, port.number)
        if socket and listener.capture_mode == "IPTABLES":
            (at / "captureMode").error("nothing is captured for a Unix socket: write DEFAULT or NONE")
    if not listener.hosts:
        (at / "hosts").error("required: the services that are reached, */* for all")
    for index, host in enumerate(listener.hosts):
        spot = at / "hosts" / index
        namespaced_host(spot, host, plain=False)
        if host in listener.hosts[:index]:
            spot.warn(f"{host} is already written above")
    if "*/*" in listener.hosts and len(listener.hosts) > 1:
        (at / "hosts").warn("*/* has all services: the other hosts add nothing")


def _outbound(at: Spot, policy: OutboundTrafficPolicy) -> None:
    if policy.egress_proxy is None:
        return
    if policy.mode != "ALLOW_ANY":
        (at / "egressProxy").error("needs mode ALLOW_ANY")
    destination(at / "egressProxy", policy.egress_proxy)
    if policy.egress_proxy.port is None:
        (at / "egressProxy" / "port").error("required: the port of the proxy")
