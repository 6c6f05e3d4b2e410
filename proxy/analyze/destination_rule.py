"""DestinationRules."""

from collections.abc import Iterator, Mapping

from proxy.analyze.context import Context, full_host, selects
from proxy.analyze.messages import Message, message
from proxy.api.destination_rule import ClientTLSSettings, DestinationRule, Subset
from proxy.api.kubernetes import Service

# Istio takes these labels from the pod's node, which is not known here: a value may be right.
_OF_NODE = ("topology.kubernetes.io/", "topology.istio.io/")


def ca_certificates(context: Context) -> Iterator[Message]:
    """TLS that does not check the server."""
    for rule in context.objects.all(DestinationRule):
        policy, host = rule.spec.traffic_policy, rule.spec.host
        if policy is None:
            continue
        selected = rule.spec.workload_selector is not None
        if policy.tls and _unchecked(policy.tls, selected=selected):
            args = (rule.name, rule.namespace, policy.tls.mode, host)
            path = ("spec", "trafficPolicy", "tls")
            yield message("NoServerCertificateVerificationDestinationLevel", rule, path, *args)
        for index, port in enumerate(policy.port_level_settings):
            if port.tls and _unchecked(port.tls, selected=selected):
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
        pods = context.selected(service.spec.selector, service.namespace)
        for index, subset in enumerate(rule.spec.subsets):
            if not any(selects(known_labels(subset), pod.labels) for pod in pods):
                yield message(
                    "DestinationRuleSubsetNotSelectPods", rule, ("spec", "subsets", index), subset.name
                )


def known_labels(subset: Subset) -> Mapping[str, str]:
    """The labels of a subset without those that only the node of a pod tells."""
    return {k: v for k, v in subset.labels.items() if not (v and k.startswith(_OF_NODE))}


def _unchecked(tls: ClientTLSSettings, *, selected: bool) -> bool:
    secret = bool(tls.credential_name) and selected
    return tls.mode in ("SIMPLE", "MUTUAL") and not tls.ca_certificates and not secret
