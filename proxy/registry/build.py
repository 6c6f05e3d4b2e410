"""The registry: every service that the configuration declares."""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.registry.kubernetes import kubernetes_services
from proxy.registry.model import Resolution, Service
from proxy.registry.service_entries import entry_services
from proxy.registry.workloads import workloads

_AUTO = ipaddress.ip_network("240.240.0.0/16")


def services(config: Collection, mesh: MeshConfig, domain: str) -> tuple[Service, ...]:
    """All services, oldest first, then by host name and namespace.

    Args:
        config: all objects.
        mesh: its default ``exportTo`` applies to services that name none.
        domain: suffix of Kubernetes' services; empty: they are called ``<name>.<namespace>``.
    """
    running = workloads(config)
    found = [*kubernetes_services(config, running, domain), *entry_services(config, running)]
    found = [replace(s, export_to=s.export_to or mesh.default_service_export_to or ("*",)) for s in found]
    found.sort(key=lambda s: (s.created, s.hostname, s.namespace))
    return _addressed(found)


def _addressed(found: Sequence[Service]) -> tuple[Service, ...]:
    """Give an address to services that have none, the same at every start as long as no two collide."""
    taken: dict[str, str] = {}
    made = []
    for service in found:
        if _needs_address(service):
            address = taken.get(service.hostname) or _free(service.hostname, set(taken.values()))
            taken[service.hostname] = address
            made.append(replace(service, auto_address=address))
        else:
            made.append(service)
    return tuple(made)


def _needs_address(service: Service) -> bool:
    return (
        not service.addresses
        and "*" not in service.hostname
        and service.resolution in (Resolution.EDS, Resolution.STRICT_DNS, Resolution.LOGICAL_DNS)
    )


def _free(hostname: str, taken: set[str]) -> str:
    digest = int.from_bytes(hashlib.sha256(hostname.encode()).digest()[:4], "big")
    size = _AUTO.num_addresses - 2
    for step in range(size):
        address = str(_AUTO[1 + (digest + step) % size])
        if address not in taken:
            return address
    raise ValueError(f"no address of {_AUTO} is free for {hostname}; give services addresses of their own")
