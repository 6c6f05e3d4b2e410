"""DestinationRule."""

from proxy.api.base import LabelSelector
from proxy.api.destination_rule import (
    ClientTLSSettings,
    DestinationRule,
    PortTrafficPolicy,
    TrafficPolicy,
    TunnelSettings,
)
from proxy.validate import checks, scope
from proxy.validate.addresses import ip_or_host
from proxy.validate.connections import connection_pool, outlier_detection
from proxy.validate.load_balancer import load_balancer
from proxy.validate.spot import Spot


def destination_rule(at: Spot, spec: DestinationRule) -> None:
    """All rules of the kind."""
    checks.hostname(at / "host", spec.host, wildcard=True)
    if spec.traffic_policy is not None:
        _policy(at / "trafficPolicy", spec.traffic_policy)
    for spot, subset in at.each("subsets", spec.subsets):
        checks.label(spot / "name", subset.name, "subset name")
        checks.labels(spot / "labels", subset.labels)
        if subset.traffic_policy is not None:
            _policy(spot / "trafficPolicy", subset.traffic_policy)
    checks.unique(
        [(spot / "name", subset.name) for spot, subset in at.each("subsets", spec.subsets)], "subset"
    )
    selector = spec.workload_selector
    scope.export_to(at, spec.export_to, own_only=selector is not None)
    if selector is not None:
        scope.match_labels(at / "workloadSelector", LabelSelector(matchLabels=selector.labels))


def _policy(at: Spot, policy: TrafficPolicy) -> None:
    if not policy.model_fields_set:
        at.error("a traffic policy needs at least one field")
    checks.one_of(at, tunnel=policy.tunnel is not None, proxyProtocol=policy.proxy_protocol is not None)
    _common(at, policy)
    for spot, port in at.each("portLevelSettings", policy.port_level_settings):
        if port.port is None:
            (spot / "port").error("required: the port that these settings are for")
        checks.port_selector(spot / "port", port.port)
        if not port.model_fields_set - {"port"}:
            spot.error("settings of a port need at least one field")
        _common(spot, port)
    _tunnel(at / "tunnel", policy.tunnel)
    if policy.retry_budget is not None and policy.retry_budget.percent is not None:
        checks.percent(at / "retryBudget" / "percent", policy.retry_budget.percent)


def _common(at: Spot, policy: TrafficPolicy | PortTrafficPolicy) -> None:
    load_balancer(at / "loadBalancer", policy.load_balancer, policy.outlier_detection)
    connection_pool(at / "connectionPool", policy.connection_pool)
    outlier_detection(at / "outlierDetection", policy.outlier_detection)
    _tls(at / "tls", policy.tls)


def _tunnel(at: Spot, tunnel: TunnelSettings | None) -> None:
    if tunnel is None:
        return
    if tunnel.protocol not in {"", "CONNECT", "POST"}:
        (at / "protocol").error(f"{tunnel.protocol!r} is not allowed: write CONNECT or POST")
    ip_or_host(at / "targetHost", tunnel.target_host)
    checks.port(at / "targetPort", tunnel.target_port)


def _tls(at: Spot, tls: ClientTLSSettings | None) -> None:
    if tls is None:
        return
    files = {
        "clientCertificate": tls.client_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
    }
    if tls.insecure_skip_verify and (tls.ca_certificates or tls.ca_crl or tls.subject_alt_names):
        (at / "insecureSkipVerify").error("cannot be used with caCertificates, caCrl or subjectAltNames")
    if tls.ca_crl and tls.credential_name:
        (at / "caCrl").error("cannot be used with credentialName: the credential holds it")
    _certificates(at, tls, {name for name, value in files.items() if value})


def _certificates(at: Spot, tls: ClientTLSSettings, given: set[str]) -> None:
    if tls.mode == "ISTIO_MUTUAL":
        for name in sorted(given | ({"credentialName"} if tls.credential_name else set())):
            (at / name).warn("has no effect with mode ISTIO_MUTUAL: the mesh gives the certificates")
    elif tls.mode != "DISABLE" and tls.credential_name:
        for name in sorted(given):
            (at / name).error("cannot be used with credentialName: the credential holds it")
    elif tls.mode == "MUTUAL":
        for name in sorted({"clientCertificate", "privateKey"} - given):
            (at / name).error("required with mode MUTUAL (or set credentialName)")
