"""Names of service ports."""

import re
from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message
from proxy.api.kubernetes import Service, ServicePort

SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
_PROTOCOL = re.compile(
    r"(?:http|http2|https|grpc|grpc-web|tcp|tls|udp|mongo|mysql|redis|thrift|sctp|hbone)(?:-.*)?",
    re.IGNORECASE,
)


def port_names(context: Context) -> Iterator[Message]:
    """Ports whose name tells no protocol, and those of ExternalName services that tell tcp."""
    for service in context.objects.all(Service):
        if service.namespace in (*SYSTEM, context.mesh.root_namespace):
            continue
        for index, port in enumerate(service.spec.ports):
            path = ("spec", "ports", index, "name")
            known = tells_protocol(port)
            external = service.spec.type == "ExternalName"
            if external and (not known or port.name.lower().split("-")[0] == "tcp"):
                yield message("ExternalNameServiceTypeInvalidPortName", service, path)
            elif not known and not external and port.protocol == "TCP":
                name = "PortNameIsNotUnderNamingConvention"
                yield message(name, service, path, port.name, port.port, port.target_port or port.port)


def tells_protocol(port: ServicePort) -> bool:
    """Whether the port's name or its appProtocol says what is spoken there."""
    return bool(_PROTOCOL.fullmatch(port.name)) or bool(port.app_protocol)
