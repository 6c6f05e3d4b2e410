"""What the analyzer says: Istio's codes and levels, our words."""

from dataclasses import dataclass
from typing import Literal

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Key, Path
from proxy.config.parse import dotted

Level = Literal["Error", "Warning", "Info"]


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of message; the text has ``str.format`` places."""

    code: str
    level: Level
    text: str


TEMPLATES = {
    "Deprecated": Template("IST0002", "Warning", "Deprecated: {}"),
    "ReferencedResourceNotFound": Template("IST0101", "Error", 'Referenced {} not found: "{}"'),
    "SchemaValidationError": Template("IST0106", "Error", "Schema validation error: {}"),
    "MisplacedAnnotation": Template("IST0107", "Warning", "Annotation {} belongs to the kind {}"),
    "UnknownAnnotation": Template("IST0108", "Warning", "Unknown annotation: {}"),
    "ConflictingMeshGatewayVirtualServiceHosts": Template(
        "IST0109", "Error", "The VirtualServices {} of the mesh gateway all define host {}; merge them"
    ),
    "ConflictingSidecarWorkloadSelectors": Template(
        "IST0110", "Error", 'The Sidecars {} in namespace "{}" select the same pod "{}"'
    ),
    "MultipleSidecarsWithoutWorkloadSelectors": Template(
        "IST0111", "Error", 'The Sidecars {} in namespace "{}" have no workload selector; keep one'
    ),
    "VirtualServiceDestinationPortSelectorRequired": Template(
        "IST0112", "Error", 'The destination "{}" has several ports {}; name one in destination.port'
    ),
    "DeploymentAssociatedToMultipleServices": Template(
        "IST0116",
        "Warning",
        "Deployment {} is in several services that use port {} as different protocols: {}",
    ),
    "PortNameIsNotUnderNamingConvention": Template(
        "IST0118", "Info", "Port name {} (port: {}, targetPort: {}) names no protocol; it will be detected"
    ),
    "InvalidAnnotation": Template("IST0125", "Warning", "Invalid annotation {}: {}"),
    "NoMatchingWorkloadsFound": Template("IST0127", "Warning", "No workloads have the labels: {}"),
    "NoServerCertificateVerificationDestinationLevel": Template(
        "IST0128",
        "Warning",
        "DestinationRule {} in namespace {} has TLS mode {} without caCertificates: "
        "the server's identity is not checked for host: {}",
    ),
    "NoServerCertificateVerificationPortLevel": Template(
        "IST0129",
        "Warning",
        "DestinationRule {} in namespace {} has TLS mode {} without caCertificates: "
        "the server's identity is not checked for host: {} at port {}",
    ),
    "VirtualServiceUnreachableRule": Template("IST0130", "Warning", "VirtualService rule not used: {}"),
    "VirtualServiceIneffectiveMatch": Template("IST0131", "Info", "VirtualService match not used: {}"),
    "VirtualServiceHostNotFoundInGateway": Template(
        "IST0132", "Warning", "Hosts {} of VirtualService {} are not hosts of Gateway {}"
    ),
    "SchemaWarning": Template("IST0133", "Warning", "Schema validation warning: {}"),
    "ServiceEntryAddressesRequired": Template(
        "IST0134", "Warning", "A port of this protocol needs spec.addresses"
    ),
    "DeprecatedAnnotation": Template("IST0135", "Info", "Annotation {} is deprecated{}"),
    "DeploymentConflictingPorts": Template(
        "IST0137",
        "Warning",
        "Deployment {} is in the services {} that forward different ports to targetPort {}: {}",
    ),
    "GatewayDuplicateCertificate": Template(
        "IST0138", "Warning", "Gateways {} share a certificate: HTTP/2 clients may get 404s"
    ),
    "IngressRouteRulesNotAffected": Template(
        "IST0140",
        "Warning",
        "The subsets of VirtualService {} are for calls in the mesh, not through the gateways of {}: "
        "name a subset here too",
    ),
    "InvalidApplicationUID": Template(
        "IST0144", "Warning", "User ID 1337 is the sidecar's: its traffic would not be captured; take another"
    ),
    "ConflictingGateways": Template(
        "IST0145", "Error", "Conflict with gateways {} (workload selector {}, port {}, hosts {})"
    ),
    "JwtClaimBasedRoutingWithoutRequestAuthN": Template(
        "IST0149",
        "Error",
        "A match uses the JWT claim {}, but no RequestAuthentication is for gateway {} (pod {})",
    ),
    "ExternalNameServiceTypeInvalidPortName": Template(
        "IST0150", "Warning", "A port of an ExternalName service needs a name with a protocol other than tcp"
    ),
    "EnvoyFilterUsesRelativeOperation": Template(
        "IST0151",
        "Warning",
        "A patch is relative to what is there, and no priority is set: other filters may come later",
    ),
    "EnvoyFilterUsesReplaceOperationIncorrectly": Template(
        "IST0152", "Error", "REPLACE is ignored with applyTo {}: only filters and virtual hosts are replaced"
    ),
    "EnvoyFilterUsesAddOperationIncorrectly": Template(
        "IST0153", "Error", "ADD is ignored with applyTo {}: use MERGE"
    ),
    "EnvoyFilterUsesRemoveOperationIncorrectly": Template(
        "IST0154", "Error", "REMOVE is ignored with applyTo {}: use MERGE"
    ),
    "EnvoyFilterUsesRelativeOperationWithProxyVersion": Template(
        "IST0155",
        "Warning",
        "A patch for some proxy versions is relative to what is there, and no priority is set: "
        "an upgrade may lose it",
    ),
    "InvalidTelemetryProvider": Template(
        "IST0157", "Warning", 'The Telemetry {} in namespace "{}" names no provider and is ignored'
    ),
    "ConflictingTelemetryWorkloadSelectors": Template(
        "IST0159", "Error", 'The Telemetries {} in namespace "{}" select the same pod "{}"'
    ),
    "MultipleTelemetriesWithoutWorkloadSelectors": Template(
        "IST0160", "Error", 'The Telemetries {} in namespace "{}" have no workload selector; keep one'
    ),
    "InvalidGatewayCredential": Template(
        "IST0161", "Error", "The credential of Gateway {} in namespace {} is no valid certificate and key"
    ),
    "GatewayPortNotDefinedOnService": Template(
        "IST0162", "Warning", "Port {} of the gateway is no port of a Service of its pods ({})"
    ),
    "ReferencedInternalGateway": Template(
        "IST0165", "Warning", "VirtualService {} refers to a generated internal Gateway: {}"
    ),
    "IneffectivePolicy": Template("IST0167", "Warning", "This has no effect: {}"),
    "DestinationRuleSubsetNotSelectPods": Template("IST0173", "Error", "The subset {} selects no pods"),
    "UnknownDestinationRuleHost": Template("IST0174", "Warning", "The host {} is no service of the mesh"),
    "JwksUriFetchUnrestricted": Template(
        "IST0175",
        "Warning",
        "{} RequestAuthentications ({}) name a jwksUri, which is fetched from any network: "
        "set BLOCKED_CIDRS_IN_JWKS_URIS",
    ),
    "ConflictingServiceEntryProtocol": Template(
        "IST0177", "Warning", 'The ServiceEntries {} define host "{}" port {} with several protocols ({})'
    ),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A finding.

    Attributes:
        name: of the code, as Istio calls it.
        key: the object that it is about.
        path: of the field, as ``spec.http[0]``; empty: the whole object.
        file: the object's, as the user gave it; empty: none.
        line: in the file, from 1; 0: not known.
    """

    code: str
    name: str
    level: Level
    key: Key
    path: str
    file: str
    line: int
    text: str


def message(name: str, about: ConfigObject[Model], path: Path, *args: object) -> Message:
    """The message of this name, filled in.

    Args:
        name: one of ``TEMPLATES``.
        about: the object.
        path: of the field.
        args: for the places of the text.
    """
    return filled(TEMPLATES[name], name, about, path, *args)


def filled(template: Template, name: str, about: ConfigObject[Model], path: Path, *args: object) -> Message:
    """A message of this template and name; else as ``message``."""
    return Message(
        code=template.code,
        name=name,
        level=template.level,
        key=about.key,
        path=dotted(path),
        file=about.origin.file,
        line=about.origin.line(path),
        text=template.text.format(*args),
    )
