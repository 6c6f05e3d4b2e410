"""The registry: every service that the configuration declares."""

import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from proxy.api.mesh import MeshConfig
from proxy.cells import Cells
from proxy.config.collection import Collection
from proxy.registry.kubernetes import kubernetes_services
from proxy.registry.model import Resolution, Service
from proxy.registry.service_entries import entry_services
from proxy.registry.workloads import workloads

_AUTO = ipaddress.ip_network("240.240.0.0/16")
_REMEMBERED = 65_536


def services(
    config: Collection, mesh: MeshConfig, domain: str, cells: Cells | None = None
) -> tuple[Service, ...]:
    """All services, oldest first, then by host name and namespace.

    Args:
        config: all objects.
        mesh: its default ``exportTo`` applies to services that name none.
        domain: suffix of Kubernetes' services; empty: they are called ``<name>.<namespace>``.
        cells: services that are as they were are the same objects as before.
    """
    cells = cells or Cells()
    running = workloads(config)
    found = [*kubernetes_services(config, running, domain, cells), *entry_services(config, running, cells)]
    found.sort(key=lambda s: (s.created, s.hostname, s.namespace))
    default = mesh.default_service_export_to or ("*",)
    return tuple(
        _completed(cells, place, service, default, address)
        for place, (service, address) in enumerate(zip(found, _addresses(found), strict=True))
    )


def _completed(cells: Cells, place: int, service: Service, default: tuple[str, ...], address: str) -> Service:
    """With what the mesh adds to it. The place tells two of one host and namespace apart."""
    export_to = service.export_to or default
    return cells.kept(
        ("service", service.hostname, service.namespace, place),
        (service, export_to, address),
        lambda: replace(service, export_to=export_to, auto_address=address),
    )


def _addresses(found: Sequence[Service]) -> Iterator[str]:
    """An address for services that have none, the same at every start as long as no two collide."""
    by_host: dict[str, str] = {}
    taken: set[str] = set()
    for service in found:
        if not _needs_address(service):
            yield ""
            continue
        address = by_host.get(service.hostname) or _free(service.hostname, taken)
        by_host[service.hostname] = address
        taken.add(address)
        yield address


def _needs_address(service: Service) -> bool:
    return (
        not service.addresses
        and "*" not in service.hostname
        and service.resolution in (Resolution.EDS, Resolution.STRICT_DNS, Resolution.LOGICAL_DNS)
    )


@lru_cache(_REMEMBERED)
def _address(number: int) -> str:
    return str(_AUTO[number])


@lru_cache(_REMEMBERED)
def _digest(hostname: str) -> int:
    return int.from_bytes(hashlib.sha256(hostname.encode()).digest()[:4], "big")


def _free(hostname: str, taken: set[str]) -> str:
    digest = _digest(hostname)
    size = _AUTO.num_addresses - 2
    for step in range(size):
        address = _address(1 + (digest + step) % size)
        if address not in taken:
            return address
    raise ValueError(f"no address of {_AUTO} is free for {hostname}; give services addresses of their own")
