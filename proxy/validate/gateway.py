"""Gateway, and the server side of TLS, which Sidecar shares."""

from proxy.api.gateway import Gateway, Server, ServerTLSSettings
from proxy.validate import checks
from proxy.validate.addresses import UNIX, bind, is_ip
from proxy.validate.spot import Spot

_OWN_CERTIFICATE = frozenset({"SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"})
_CLIENT_CA = frozenset({"MUTUAL", "OPTIONAL_MUTUAL"})
_UNENCRYPTED = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_OLD = frozenset({"TLSV1_0", "TLSV1_1"})
_CIPHERS = frozenset(
    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "  # noqa: SIM905
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 "
    "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA "
    "AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA DES-CBC3-SHA "
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305] "
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]".split()
)


def gateway(at: Spot, spec: Gateway) -> None:
    """All rules of the kind."""
    if not spec.servers:
        (at / "servers").error("a gateway needs at least one server")
    for spot, server in at.each("servers", spec.servers):
        _server(spot, server)
    names = [
        (spot / "port" / "name", server.port.name)
        for spot, server in at.each("servers", spec.servers)
        if server.port is not None and server.port.name
    ]
    checks.unique(names, "port name")
    checks.labels(at / "selector", spec.selector)


def _server(at: Spot, server: Server) -> None:
    if not server.hosts:
        (at / "hosts").error("required: the hosts that are served, * for all")
    for spot, host in at.each("hosts", server.hosts):
        namespaced_host(spot, host, plain=True)
    _port(at, server)
    if server.tls is not None:
        server_tls(at / "tls", server.tls)


def _port(at: Spot, server: Server) -> None:
    port = server.port
    if port is None:
        (at / "port").error("required: number, name and protocol")
        return
    if not port.protocol:
        (at / "port" / "protocol").error("required: HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, TCP or TLS")
    checks.protocol(at / "port" / "protocol", port.protocol)
    if port.number or not server.bind.startswith(UNIX):
        checks.port(at / "port" / "number", port.number)
    if port.target_port:
        (at / "port" / "targetPort").error("has no effect on a gateway: remove it")
    if not port.name:
        (at / "port" / "name").error("required: a name that no other server has")
    bind(at, server.bind, port.number)
    _port_tls(at, port.protocol, server.tls)


def _port_tls(at: Spot, protocol: str, tls: ServerTLSSettings | None) -> None:
    if checks.is_tls(protocol):
        if tls is None:
            (at / "tls").error(f"required with protocol {protocol}")
    elif tls is not None and not checks.is_http(protocol):
        (at / "tls").error(f"cannot be used with protocol {protocol}: write HTTPS or TLS")
    elif tls is not None:
        given = (tls.ca_certificates, tls.private_key, tls.server_certificate)
        if tls.mode not in _UNENCRYPTED or any(given):
            (at / "tls").error(f"only httpsRedirect can be used with protocol {protocol}; or write HTTPS")
    if tls is not None and tls.https_redirect and not checks.is_http(protocol):
        (at / "tls" / "httpsRedirect").warn("redirects only plain HTTP: use it on an HTTP server")


def namespaced_host(at: Spot, text: str, *, plain: bool) -> None:
    """``namespace/host``; ``plain``: the host alone is allowed too, and it may be an address."""
    namespace, slash, host = text.partition("/")
    if not slash:
        if not plain:
            at.error(f"{text!r} needs a namespace: write ./{text}, */{text} or name/{text}")
        elif not is_ip(text):
            checks.hostname(at, text, wildcard=True)
        return
    special = {".", "*"} if plain else {".", "*", "~"}
    if namespace not in special and not checks.is_label(namespace):
        at.error(f"{namespace!r} is no namespace: write a name or one of {' '.join(sorted(special))}")
    if not (plain and is_ip(host)):
        checks.hostname(at, host, wildcard=True)


def server_tls(at: Spot, tls: ServerTLSSettings) -> None:
    """TLS from clients."""
    _ciphers(at, tls)
    files = {
        "serverCertificate": tls.server_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
        "caCrl": tls.ca_crl,
        "tlsCertificates": tls.tls_certificates,
        "credentialName": tls.credential_name,
        "credentialNames": tls.credential_names,
    }
    given = [name for name, value in files.items() if value]
    if tls.mode == "ISTIO_MUTUAL":
        for name in given:
            if name != "caCrl":
                (at / name).error("cannot be used with mode ISTIO_MUTUAL: the mesh gives the certificates")
        return
    if tls.mode in _UNENCRYPTED and given:
        at.warn(f"{', '.join(given)}: mode {tls.mode} uses no certificates")
    _sources(at, tls)
    if tls.mode in _OWN_CERTIFICATE and not (tls.credential_name or tls.credential_names):
        _certificates(at, tls)
    if tls.ca_crl and (tls.credential_name or tls.mode == "SIMPLE"):
        (at / "caCrl").error("cannot be used with credentialName or mode SIMPLE")


def _sources(at: Spot, tls: ServerTLSSettings) -> None:
    checks.one_of(
        at,
        credentialName=bool(tls.credential_name),
        credentialNames=bool(tls.credential_names),
        serverCertificate=bool(tls.server_certificate and tls.private_key),
        tlsCertificates=bool(tls.tls_certificates),
    )


def _certificates(at: Spot, tls: ServerTLSSettings) -> None:
    if tls.mode in _CLIENT_CA and not tls.ca_certificates:
        (at / "caCertificates").error(
            f"required with mode {tls.mode}: what client certificates are checked by"
        )
    pairs = [
        (spot, c.server_certificate, c.private_key)
        for spot, c in at.each("tlsCertificates", tls.tls_certificates)
    ]
    for spot, certificate, key in pairs or [(at, tls.server_certificate, tls.private_key)]:
        if not certificate:
            (spot / "serverCertificate").error(f"required with mode {tls.mode} (or set credentialName)")
        if not key:
            (spot / "privateKey").error(f"required with mode {tls.mode} (or set credentialName)")
    if len(pairs) > 2:  # noqa: PLR2004 (one RSA, one ECDSA)
        (at / "tlsCertificates").warn("at most two certificates are used: one RSA, one ECDSA")


def _ciphers(at: Spot, tls: ServerTLSSettings) -> None:
    if tls.min_protocol_version in _OLD and not tls.cipher_suites:
        (at / "minProtocolVersion").warn("TLS below 1.2 needs cipherSuites that it can use")
    for index, suite in enumerate(tls.cipher_suites):
        if suite not in _CIPHERS:
            (at / "cipherSuites" / index).warn(f"unknown cipher suite {suite!r} is ignored")
        elif suite in tls.cipher_suites[:index]:
            (at / "cipherSuites" / index).warn(f"cipher suite {suite!r} is written twice")
