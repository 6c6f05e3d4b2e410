"""DestinationRules."""

from collections.abc import Iterator

from proxy.analyze.context import Context, full_host, selects
from proxy.analyze.messages import Message, message
from proxy.api.destination_rule import ClientTLSSettings, DestinationRule
from proxy.api.kubernetes import Service


def ca_certificates(context: Context) -> Iterator[Message]:
    """TLS that does not check the server."""
    for rule in context.objects.all(DestinationRule):
        policy, host = rule.spec.traffic_policy, rule.spec.host
        if policy is None:
            continue
        selected = rule.spec.workload_selector is not None
        if policy.tls and _unchecked(policy.tls, selected):
            args = (rule.name, rule.namespace, policy.tls.mode, host)
            path = ("spec", "trafficPolicy", "tls")
            yield message("NoServerCertificateVerificationDestinationLevel", rule, path, *args)
        for index, port in enumerate(policy.port_level_settings):
            if port.tls and _unchecked(port.tls, selected):
                number = port.port.number if port.port else 0
                args = (rule.name, rule.namespace, port.tls.mode, host)
                where = ("spec", "trafficPolicy", "portLevelSettings", index, "tls")
                yield message("NoServerCertificateVerificationPortLevel", rule, where, *args, number)


def subsets(context: Context) -> Iterator[Message]:
    """Hosts that no service has, and subsets without pods."""
    services = {f"{s.name}.{s.namespace}.svc.cluster.local": s for s in context.objects.all(Service)}
    for rule in context.objects.all(DestinationRule):
        host = full_host(rule.spec.host, rule.namespace)
        if not context.find_host(host, rule.namespace) and "*" not in host:
            yield message("UnknownDestinationRuleHost", rule, ("spec", "host"), rule.spec.host)
        service = services.get(host)
        if service is None or not service.spec.selector:
            continue
        pods = [labels for _, _, labels in context.pods(service.namespace)]
        for index, subset in enumerate(rule.spec.subsets):
            wanted = {**service.spec.selector, **subset.labels}
            if not any(selects(wanted, labels) for labels in pods):
                yield message(
                    "DestinationRuleSubsetNotSelectPods", rule, ("spec", "subsets", index), subset.name
                )


def _unchecked(tls: ClientTLSSettings, selected: bool) -> bool:
    secret = bool(tls.credential_name) and selected
    return tls.mode in ("SIMPLE", "MUTUAL") and not tls.ca_certificates and not secret
