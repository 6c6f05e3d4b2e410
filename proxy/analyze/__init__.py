"""Analysis of a mesh's configuration with Istio's codes: what is allowed, but will not do what was meant."""

from collections.abc import Iterable, Mapping

from proxy.analyze import (
    deprecation,
    destination_rule,
    gateway,
    selectors,
    service,
    service_entry,
    virtual_service,
)
from proxy.analyze.context import Analyzer, Context, Finding, Validate
from proxy.analyze.messages import Message
from proxy.analyze.schema import schema
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection

ANALYZERS: Mapping[str, Analyzer] = {
    "destinationrule.CaCertificateAnalyzer": destination_rule.ca_certificates,
    "destinationrule.PodNotSelectedAnalyzer": destination_rule.subsets,
    "deprecation.FieldAnalyzer": deprecation.fields,
    "gateway.ConflictingGatewayAnalyzer": gateway.conflicts,
    "gateway.IngressGatewayPortAnalyzer": gateway.ports,
    "schema.ValidationAnalyzer": schema,
    "service.PortNameAnalyzer": service.port_names,
    "serviceentry.ProtocolAddressesAnalyzer": service_entry.addresses,
    "serviceentry.ConflictingServiceEntryProtocolAnalyzer": service_entry.protocols,
    "sidecar.SelectorAnalyzer": selectors.sidecar_selectors,
    "sidecar.DefaultSelectorAnalyzer": selectors.sidecar_defaults,
    "telemetry.SelectorAnalyzer": selectors.telemetry_selectors,
    "telemetry.DefaultSelectorAnalyzer": selectors.telemetry_defaults,
    "virtualservice.ConflictingMeshGatewayHostsAnalyzer": virtual_service.mesh_hosts,
    "virtualservice.DestinationHostAnalyzer": virtual_service.destinations,
    "virtualservice.GatewayAnalyzer": virtual_service.gateways,
}


def analyze(
    config: Collection,
    mesh: MeshConfig,
    analyzers: Iterable[str] | None = None,
    validate: Validate = lambda _: (),
) -> list[Message]:
    """What is questionable in a configuration.

    Args:
        config: all objects.
        mesh: settings of the mesh.
        analyzers: names from ``ANALYZERS``; all: None.
        validate: the judge of single objects, for the schema analyzer.

    Raises:
        KeyError: a name is no analyzer's.
    """
    context = Context(config, mesh, validate)
    return [m for name in (analyzers or ANALYZERS) for m in ANALYZERS[name](context)]


__all__ = ["ANALYZERS", "Finding", "Message", "Validate", "analyze"]
