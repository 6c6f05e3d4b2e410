"""Analysis of a mesh's configuration: what is allowed, but will not do what was meant.

Codes are Istio's and Kiali's.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from proxy.analyze import (
    annotations,
    authentication,
    authorization,
    credentials,
    deployment,
    deprecation,
    destination_rule,
    envoy_filter,
    gateway,
    selectors,
    service,
    service_entry,
    telemetry,
    virtual_service,
)
from proxy.analyze.context import Analyzer, Context, Validate
from proxy.analyze.kiali.checks import CHECKERS, without_repeats
from proxy.analyze.messages import Message
from proxy.analyze.schema import schema
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.kinds import ISTIO
from proxy.validate.judge import validate as validate_object

SUPPRESS = "galley.istio.io/analyze-suppress"
"""Annotation with codes, parted by commas, that are not told of the object; ``*``: none is."""

ANALYZERS: Mapping[str, Analyzer] = {
    "annotations.K8sAnalyzer": annotations.annotations,
    "authn.BlockedCIDRsAnalyzer": authentication.blocked_networks,
    "authz.AuthorizationPoliciesAnalyzer": authorization.policies,
    "deployment.ApplicationUIDAnalyzer": deployment.users,
    "deployment.ServiceAssociationAnalyzer": deployment.services,
    "destinationrule.CaCertificateAnalyzer": destination_rule.ca_certificates,
    "destinationrule.PodNotSelectedAnalyzer": destination_rule.subsets,
    "deprecation.FieldAnalyzer": deprecation.fields,
    "envoyfilter.EnvoyPatchAnalyzer": envoy_filter.patches,
    "gateway.CertificateAnalyzer": credentials.certificates,
    "gateway.ConflictingGatewayAnalyzer": gateway.conflicts,
    "gateway.IngressGatewayPortAnalyzer": gateway.ports,
    "gateway.SecretAnalyzer": credentials.secrets,
    **{f"schema.ValidationAnalyzer.{kind.name}": partial(schema, kind=kind.name) for kind in ISTIO},
    "service.PortNameAnalyzer": service.port_names,
    "serviceentry.ProtocolAddressesAnalyzer": service_entry.addresses,
    "serviceentry.ConflictingServiceEntryProtocolAnalyzer": service_entry.protocols,
    "sidecar.SelectorAnalyzer": selectors.sidecar_selectors,
    "sidecar.DefaultSelectorAnalyzer": selectors.sidecar_defaults,
    "telemetry.SelectorAnalyzer": selectors.telemetry_selectors,
    "telemetry.DefaultSelectorAnalyzer": selectors.telemetry_defaults,
    "telemetry.LightstepAnalyzer": telemetry.lightstep,
    "telemetry.ProviderAnalyzer": telemetry.providers,
    "virtualservice.ConflictingMeshGatewayHostsAnalyzer": virtual_service.mesh_hosts,
    "virtualservice.DestinationHostAnalyzer": virtual_service.destinations,
    "virtualservice.DestinationRuleAnalyzer": virtual_service.subsets,
    "virtualservice.GatewayAnalyzer": virtual_service.gateways,
    "virtualservice.JWTClaimRouteAnalyzer": authentication.claim_routes,
    **CHECKERS,
}


def analyze(
    config: Collection,
    mesh: MeshConfig,
    analyzers: Iterable[str] | None = None,
    validate: Validate = validate_object,
) -> list[Message]:
    """What is questionable in a configuration.

    What two analyzers find is told once, and with Istio's code if Istio and Kiali both have one; what the
    object's annotation ``SUPPRESS`` names is not told.

    Args:
        config: all objects.
        mesh: settings of the mesh.
        analyzers: names from ``ANALYZERS``; all: None.
        validate: the judge of single objects, for the schema analyzers.

    Raises:
        KeyError: a name is no analyzer's.
    """
    context = Context(config, mesh, validate)
    names = ANALYZERS if analyzers is None else analyzers
    found = dict.fromkeys(m for name in names for m in ANALYZERS[name](context))
    told = without_repeats(list(found))
    return [m for m in told if not _suppressed(m, config.by_key[m.key].annotations.get(SUPPRESS, ""))]


def _suppressed(found: Message, codes: str) -> bool:
    return found.code in (named := [code.strip() for code in codes.split(",")]) or "*" in named


__all__ = ["ANALYZERS", "SUPPRESS", "Message", "Validate", "analyze"]
