"""TLS to the upstream, and where secrets come from."""

from collections.abc import Iterable, Mapping
from typing import Any

from proxy.api.destination_rule import ClientTLSSettings
from proxy.envoy.messages import typed
from proxy.registry.model import Protocol, Service
from proxy.translate.destination_rules import Policy
from proxy.translate.names import sni_cluster
from proxy.translate.world import Proxy, World

Json = dict[str, Any]

WORKLOAD_SECRET = "default"  # noqa: S105  the name of a secret, not one
TRUST_SECRET = "ROOTCA"  # noqa: S105
SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
_UPSTREAM = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_RAW = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
_PROXY_PROTOCOL = "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
PLAIN: Json = {"name": "envoy.transport_sockets.raw_buffer", "typed_config": typed(_RAW)}


def config_source(cluster: str = "") -> Json:
    """Where a resource comes from: the stream of all others, or a gRPC service of the bootstrap."""
    if not cluster:
        return {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    service = {"envoy_grpc": {"cluster_name": cluster}}
    source = {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [service]}
    return {"api_config_source": source, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def secret(proxy: Proxy, name: str) -> Json:
    """Reference to a secret: ``default``, ``ROOTCA``, ``kubernetes://name``, ``file-cert:cert~key`` ..."""
    return {"name": name, "sds_config": config_source(proxy.sds_cluster)}


def tls_params(world: World) -> Json:
    """Versions and ciphers of TLS inside the mesh."""
    mesh = world.mesh.mesh_mtls
    lowest = mesh.min_protocol_version if mesh else "TLS_AUTO"
    made: Json = {
        "tls_minimum_protocol_version": "TLSv1_3" if lowest == "TLSV1_3" else "TLSv1_2",
        "tls_maximum_protocol_version": "TLSv1_3",
    }
    if mesh and mesh.cipher_suites:
        made["cipher_suites"] = list(mesh.cipher_suites)
    if mesh and mesh.ecdh_curves:
        made["ecdh_curves"] = list(mesh.ecdh_curves)
    return made


def service_identities(world: World, service: Service) -> list[str]:
    """SPIFFE ids that servers of a service may show, besides names that its declaration accepts."""
    accounts = sorted({(e.namespace, e.service_account) for e in service.endpoints if e.service_account})
    trust = (world.mesh.trust_domain, *world.mesh.trust_domain_aliases)
    ids = [f"spiffe://{td}/ns/{ns}/sa/{account}" for ns, account in accounts for td in trust]
    return list(dict.fromkeys([*ids, *service.subject_alt_names]))


def alpn(protocol: Protocol) -> list[str]:
    """What a client of the mesh offers inside its mutual TLS; servers know their own by it."""
    return (
        ["istio", "h2"]
        if protocol.http2
        else ["istio"]
        if protocol.http
        else ["istio-peer-exchange", "istio"]
    )


def transport(  # noqa: PLR0913, PLR0917  all of it describes one cluster
    world: World, proxy: Proxy, service: Service, port: int, subset: str, policy: Policy
) -> Mapping[str, Any]:
    """The fields of a cluster that say how connections are secured."""
    found = service.port(port)
    protocol = found.protocol if found else Protocol.AUTO
    sni = sni_cluster(port, subset, service.hostname)
    if policy.tls is None:
        if not world.mesh.enable_auto_mtls or service.external:
            return _proxied(None, policy)
        mutual = _mutual(world, proxy, sni, service_identities(world, service), protocol)
        return {
            "transport_socket_matches": [
                {"name": "tlsMode-istio", "match": {"tlsMode": "istio"}, "transport_socket": mutual},
                {"name": "tlsMode-disabled", "match": {}, "transport_socket": PLAIN},
            ]
        }
    if policy.tls.mode == "DISABLE":
        return _proxied(None, policy)
    if policy.tls.mode == "ISTIO_MUTUAL":
        names = policy.tls.subject_alt_names or service_identities(world, service)
        return _proxied(_mutual(world, proxy, policy.tls.sni or sni, names, protocol), policy)
    return _proxied(_originated(world, proxy, service, policy.tls, protocol), policy)


def _proxied(socket: Json | None, policy: Policy) -> Json:
    """With the PROXY protocol before TLS or plain text, where the policy wants it."""
    if policy.proxy_protocol:
        inner = socket or PLAIN
        config = {"config": {"version": policy.proxy_protocol.version}, "transport_socket": inner}
        socket = {
            "name": "envoy.transport_sockets.upstream_proxy_protocol",
            "typed_config": typed(_PROXY_PROTOCOL, config),
        }
    return {"transport_socket": socket} if socket else {}


def _mutual(world: World, proxy: Proxy, sni: str, names: Iterable[str], protocol: Protocol) -> Json:
    common = {
        "tls_params": tls_params(world),
        "alpn_protocols": alpn(protocol),
        "tls_certificate_sds_secret_configs": [secret(proxy, WORKLOAD_SECRET)],
        "combined_validation_context": {
            "default_validation_context": _accepted(names),
            "validation_context_sds_secret_config": secret(proxy, TRUST_SECRET),
        },
    }
    return _socket({"common_tls_context": common, "sni": sni})


def _originated(
    world: World, proxy: Proxy, service: Service, tls: ClientTLSSettings, protocol: Protocol
) -> Json:
    """TLS towards a server outside the mesh (SIMPLE, MUTUAL)."""
    names = tls.subject_alt_names or service.subject_alt_names
    common: Json = {"tls_params": tls_params(world)}
    if protocol.http2:
        common["alpn_protocols"] = ["h2"]
    elif protocol.http:
        common["alpn_protocols"] = ["http/1.1"]
    common |= _validation(proxy, tls, names)
    if tls.mode == "MUTUAL":
        name = f"kubernetes://{tls.credential_name}" if tls.credential_name else _file_pair(tls)
        common["tls_certificate_sds_secret_configs"] = [secret(proxy, name)]
    made: Json = {"common_tls_context": common}
    if tls.sni:
        made["sni"] = tls.sni
    elif not protocol.http and "*" not in service.hostname:
        made["sni"] = service.hostname
    return _socket(made)


def _file_pair(tls: ClientTLSSettings) -> str:
    return f"file-cert:{tls.client_certificate}~{tls.private_key}"


def _validation(proxy: Proxy, tls: ClientTLSSettings, names: Iterable[str]) -> Json:
    if tls.insecure_skip_verify:
        return {}
    if tls.credential_name and (tls.mode == "MUTUAL" or not tls.ca_certificates):
        authority = f"kubernetes://{tls.credential_name}-cacert"
    elif tls.ca_certificates and tls.ca_certificates != "system":
        authority = f"file-root:{tls.ca_certificates}"
    else:
        return {"validation_context": {**_accepted(names), "trusted_ca": {"filename": SYSTEM_ROOTS}}}
    return {
        "combined_validation_context": {
            "default_validation_context": _accepted(names),
            "validation_context_sds_secret_config": secret(proxy, authority),
        }
    }


def _accepted(names: Iterable[str]) -> Json:
    matchers = [
        {"san_type": kind, "matcher": {"exact": name}}
        for name in names
        for kind in (("URI",) if "://" in name else ("DNS", "URI"))
    ]
    return {"match_typed_subject_alt_names": matchers} if matchers else {}


def _socket(context: Json) -> Json:
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed(_UPSTREAM, context)}


def names_from_host(policy: Policy, service: Service) -> Json:
    """Upstream HTTP options that take SNI and accepted names from the request's host where none are given."""
    tls = policy.tls
    if tls is None or tls.mode not in ("SIMPLE", "MUTUAL") or tls.sni:
        return {}
    made: Json = {"auto_sni": True}
    if not (tls.subject_alt_names or service.subject_alt_names or tls.insecure_skip_verify):
        made["auto_san_validation"] = True
    return {"upstream_http_protocol_options": made}
