"""TLS of a gateway's server."""

from typing import Any

from proxy.api.gateway import ServerTLSSettings
from proxy.envoy.messages import typed
from proxy.translate.cluster_tls import TRUST_SECRET, WORKLOAD_SECRET, secret
from proxy.translate.world import Proxy

Json = dict[str, Any]
SECRET = "kubernetes://"  # noqa: S105 - the start of a name
CA_SUFFIX = "-cacert"
_VERSIONS = {
    "TLSV1_0": "TLSv1_0",
    "TLSV1_1": "TLSv1_1",
    "TLSV1_2": "TLSv1_2",
    "TLSV1_3": "TLSv1_3",
}
_REQUIRES_CLIENT = ("MUTUAL", "ISTIO_MUTUAL")


def downstream_tls(tls: ServerTLSSettings, proxy: Proxy, *, http: bool) -> Json:
    """The transport socket of a server that ends TLS.

    Args:
        tls: the server's settings.
        proxy: that serves.
        http: requests are routed: HTTP/2 and HTTP/1.1 are offered.
    """
    common: Json = {
        "tls_params": _params(tls),
        "tls_certificate_sds_secret_configs": [secret(proxy, n) for n in _certificates(tls)],
    }
    if http:
        common["alpn_protocols"] = ["h2", "http/1.1"]
    if (validation := _validation(tls, proxy)) is not None:
        common["combined_validation_context"] = validation
    context = {
        "common_tls_context": common,
        "require_client_certificate": tls.mode in _REQUIRES_CLIENT,
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", context),
    }


def _params(tls: ServerTLSSettings) -> Json:
    made: Json = {"tls_minimum_protocol_version": _VERSIONS.get(tls.min_protocol_version, "TLSv1_2")}
    if tls.max_protocol_version in _VERSIONS:
        made["tls_maximum_protocol_version"] = _VERSIONS[tls.max_protocol_version]
    if tls.cipher_suites:
        made["cipher_suites"] = list(tls.cipher_suites)
    return made


def _certificates(tls: ServerTLSSettings) -> list[str]:
    if tls.mode == "ISTIO_MUTUAL":
        return [WORKLOAD_SECRET]
    if names := tls.credential_names or ((tls.credential_name,) if tls.credential_name else ()):
        return [_named(name) for name in names]
    files = [(c.server_certificate, c.private_key) for c in tls.tls_certificates]
    files = files or [(tls.server_certificate, tls.private_key)]
    return [f"file-cert:{certificate}~{key}" for certificate, key in files]


def _validation(tls: ServerTLSSettings, proxy: Proxy) -> Json | None:
    authority = _authority(tls)
    if not authority:
        return None
    rules: Json = {}
    if tls.subject_alt_names:
        rules["match_typed_subject_alt_names"] = [
            {"san_type": kind, "matcher": {"exact": name}}
            for name in tls.subject_alt_names
            for kind in ("URI", "DNS")
        ]
    if tls.verify_certificate_spki:
        rules["verify_certificate_spki"] = list(tls.verify_certificate_spki)
    if tls.verify_certificate_hash:
        rules["verify_certificate_hash"] = list(tls.verify_certificate_hash)
    return {
        "default_validation_context": rules,
        "validation_context_sds_secret_config": secret(proxy, authority),
    }


def _authority(tls: ServerTLSSettings) -> str:
    """The secret that holds the authorities of client certificates; empty: no client is asked."""
    if tls.mode == "ISTIO_MUTUAL":
        return TRUST_SECRET
    if tls.mode not in ("MUTUAL", "OPTIONAL_MUTUAL"):
        return ""
    if tls.ca_cert_credential_name:
        return _named(tls.ca_cert_credential_name)
    if name := tls.credential_name or next(iter(tls.credential_names), ""):
        return _named(name) + CA_SUFFIX
    return f"file-root:{tls.ca_certificates}" if tls.ca_certificates else ""


def _named(name: str) -> str:
    return name if "://" in name else SECRET + name
