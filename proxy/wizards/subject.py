"""The service that a wizard changes, and the objects that say now what happens to its calls."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.api.destination_rule import DestinationRule
from proxy.api.virtual_service import VirtualService
from proxy.config.collection import Collection, SpecT
from proxy.config.objects import ConfigObject
from proxy.registry.model import Service
from proxy.translate.names import full_host
from vigla.errors import BadInput

MESH = "mesh"
VERSION = "version"
API_VERSION = "networking.istio.io/v1"
LABEL = "kiali_wizard"
"""Of objects that a wizard made, as Kiali's."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """One service.

    Attributes:
        service: of the registry.
        versions: of its workloads, sorted: values of their label ``version``.
        virtual_service: the document that routes its calls inside the mesh; None: there is none yet.
        destination_rule: the document with its subsets and policies; None: there is none yet.
        domain: of the mesh.
    """

    service: Service
    versions: tuple[str, ...]
    virtual_service: Document | None
    destination_rule: Document | None
    domain: str = "cluster.local"

    @property
    def http(self) -> bool:
        """Whether requests can be routed, not only connections."""
        return any(port.protocol.http for port in self.service.ports)

    def routed(self, kind: str) -> Document:
        """A copy of its VirtualService, or a new one that changes nothing."""
        if self.virtual_service is not None:
            return copy.deepcopy(self.virtual_service)
        route = [{"destination": {"host": self.service.hostname}}]
        spec = {"hosts": [self.service.hostname], "http" if self.http else "tcp": [{"route": route}]}
        return self._new("VirtualService", kind, spec)

    def ruled(self, kind: str) -> Document:
        """A copy of its DestinationRule, or a new one without content."""
        if self.destination_rule is not None:
            return copy.deepcopy(self.destination_rule)
        return self._new("DestinationRule", kind, {"host": self.service.hostname})

    def own_routes(self, document: Document, section: str = "http") -> list[Document]:
        """The routes of a VirtualService that lead to the service and to no other."""
        namespace = str(document["metadata"]["namespace"])
        return [
            route
            for route in document["spec"].get(section, ())
            if route.get("route") and all(self._is_here(each, namespace) for each in route["route"])
        ]

    def _is_here(self, target: Mapping[str, Any], namespace: str) -> bool:
        host = str(target.get("destination", {}).get("host", ""))
        return full_host(host, namespace, self.domain) == self.service.hostname

    def _new(self, of: str, kind: str, spec: Document) -> Document:
        return {
            "apiVersion": API_VERSION,
            "kind": of,
            "metadata": {
                "name": self.service.name,
                "namespace": self.service.namespace,
                "labels": {LABEL: kind.replace("-", "_")},
            },
            "spec": spec,
        }


def subject(service: Service, config: Collection, domain: str) -> Subject:
    """What applies to a service.

    Args:
        service: of the registry.
        config: what people wrote.
        domain: of the mesh.

    Raises:
        BadInput: several objects say what happens, so that a form cannot know which to change.
    """
    virtual_services = [
        each
        for each in config.all(VirtualService)
        if any(full_host(host, each.namespace, domain) == service.hostname for host in each.spec.hosts)
        and (not each.spec.gateways or MESH in each.spec.gateways)
    ]
    rules = [
        each
        for each in config.all(DestinationRule)
        if full_host(each.spec.host, each.namespace, domain) == service.hostname
        and each.spec.workload_selector is None
    ]
    versions = {endpoint.labels.get(VERSION, "") for endpoint in service.endpoints} - {""}
    return Subject(service, tuple(sorted(versions)), _only(virtual_services), _only(rules), domain)


def _only(found: Iterable[ConfigObject[SpecT]]) -> Document | None:
    all_found = list(found)
    if not all_found:
        return None
    first = all_found[0]
    if len(all_found) > 1:
        names = ", ".join(f"{each.namespace}/{each.name}" for each in all_found)
        raise BadInput(
            f"several {first.kind.name} objects are about this service ({names}): join them or edit by hand"
        )
    document: Document = copy.deepcopy(dict(first.document))
    document.setdefault("metadata", {})["namespace"] = first.namespace
    return document
