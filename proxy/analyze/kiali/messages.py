"""What the checks say: Kiali's codes and severities, our words."""

from collections.abc import Mapping

from proxy.analyze.messages import Level, Message, Template, filled
from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Path

LEVELS: Mapping[str, Level] = {"error": "Error", "warning": "Warning", "unknown": "Info"}
"""By Kiali's severities."""

_ERRORS = {
    "authorizationpolicy.mtls.needstobeenabled": (
        "KIA0105",
        "This field needs a caller's identity, and calls to {} come without mutual TLS: turn it on",
    ),
    "authorizationpolicy.nodest.matchingregistry": (
        "KIA0104",
        'Host "{}" is no service, and no host of a VirtualService or Gateway',
    ),
    "authorizationpolicy.source.principalnotfound": (
        "KIA0106",
        'No workload of namespace "{}" has service account "{}"',
    ),
    "destinationrules.mtls.meshpolicymtlsenabled": (
        "KIA0208",
        "Mutual TLS is off here, but the mesh's PeerAuthentication {} is STRICT: make it PERMISSIVE",
    ),
    "destinationrules.mtls.policymtlsenabled": (
        "KIA0207",
        "Mutual TLS is off here, but the namespace's PeerAuthentication {} is STRICT: make it PERMISSIVE",
    ),
    "destinationrules.nodest.matchingregistry": ("KIA0202", 'Host "{}" is no service of the mesh'),
    "destinationrules.nodest.subsetlabels": (
        "KIA0203",
        'No endpoint of "{}" has the labels of subset "{}": {}',
    ),
    "generic.exportto.namespacenotfound": ("KIA0005", 'Namespace "{}" is not known'),
    "generic.multimatch.selector": ("KIA0003", "{}s {} select the same workload {}; keep one"),
    "generic.multimatch.selectorless": (
        "KIA0002",
        '{}s {} in namespace "{}" have no selector; keep one',
    ),
    "peerauthentications.mtls.disabledestinationrulemissing": (
        "KIA0505",
        "Mutual TLS is off here, but callers use it by DestinationRule {}: disable it for {}",
    ),
    "peerauthentications.mtls.disablemeshdestinationrulemissing": (
        "KIA0506",
        "Mutual TLS is off in the mesh, but callers use it by DestinationRule {}: disable it for {}",
    ),
    "port.name.mismatch": (
        "KIA0601",
        'Port name "{}" must be <protocol> or <protocol>-<suffix>, like http-web',
    ),
    "virtualservices.nogateway": ("KIA1102", 'There is no Gateway "{}"'),
    "virtualservices.nohost.hostnotfound": ("KIA1101", 'Host "{}" is no service of the mesh'),
}
_WARNINGS = {
    "authorizationpolicy.source.namespacenotfound": ("KIA0101", 'Namespace "{}" is not known'),
    "authorizationpolicy.to.wrongmethod": (
        "KIA0102",
        '"{}" is no HTTP method; write one like GET, a wildcard like P*, or *',
    ),
    "destinationrules.multimatch": (
        "KIA0201",
        'DestinationRules {} are for the same subsets of host "{}"; merge them',
    ),
    "destinationrules.nodest.subsetnolabels": (
        "KIA0209",
        'Subset "{}" has no labels, so it is all endpoints of the host',
    ),
    "gateways.multimatch": ("KIA0301", 'Host "{}" at port {} is also served by {}'),
    "gateways.selector": ("KIA0302", "No workload has the labels: {}"),
    "generic.selector.workloadnotfound": ("KIA0004", "No workload has the labels: {}"),
    "serviceentries.multimatch": (
        "KIA1211",
        'ServiceEntries {} all define host "{}" at port {}; keep one',
    ),
    "serviceentries.port.protocol.conflict": (
        "KIA1212",
        'ServiceEntries {} define host "{}" at port {} with several protocols: {}',
    ),
    "sidecar.egress.servicenotfound": ("KIA1004", 'Host "{}" is no service that this namespace sees'),
    "sidecar.global.selector": (
        "KIA1006",
        "The default Sidecar of the mesh should select no workloads: remove workloadSelector",
    ),
    "virtualservices.route.repeatedsubset": (
        "KIA1105",
        'Another destination of this route is also "{}"; merge their weights',
    ),
    "virtualservices.route.singleweight": (
        "KIA1104",
        "The only destination gets everything, not {} of 100: remove the weight",
    ),
    "virtualservices.singlehost": ("KIA1106", 'VirtualServices {} all define host "{}"; merge them'),
    "virtualservices.subsetpresent.subsetnotfound": (
        "KIA1107",
        'No DestinationRule of host "{}" has subset "{}"',
    ),
    "workload.authorizationpolicy.needstobecovered": (
        "KIA1301",
        "No AuthorizationPolicy is for this workload: everyone may call it",
    ),
}
_NOTES = {
    "sidecar.outboundtrafficpolicy.mode.ambiguous": (
        "KIA1007",
        "Without a mode this means REGISTRY_ONLY: write which one is meant",
    ),
    "virtualservices.gateway.oldnomenclature": ("KIA1108", 'Write "{}/{}" for this Gateway'),
}
CHECKS = {
    name: Template(code, LEVELS[severity], text)
    for severity, checks in (("error", _ERRORS), ("warning", _WARNINGS), ("unknown", _NOTES))
    for name, (code, text) in checks.items()
}
"""By the names that Kiali's sources give the checks."""


def finding(name: str, about: ConfigObject[Model], path: Path, *args: object) -> Message:
    """The message of this check, filled in.

    Args:
        name: one of ``CHECKS``.
        about: the object.
        path: of the field.
        args: for the places of the text.
    """
    return filled(CHECKS[name], name, about, path, *args)
