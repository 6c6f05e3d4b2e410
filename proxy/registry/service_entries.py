"""Services that ServiceEntries declare."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from proxy.api.base import Port
from proxy.api.service_entry import ServiceEntry
from proxy.cells import Cells
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.registry.kubernetes import endpoint
from proxy.registry.model import Endpoint, Resolution, Service, ServicePort
from proxy.registry.protocols import protocol_named
from proxy.registry.workloads import Workload, from_entry, selects, socket_path

_RESOLUTIONS = {
    "NONE": Resolution.PASSTHROUGH,
    "STATIC": Resolution.EDS,
    "DNS": Resolution.STRICT_DNS,
    "DNS_ROUND_ROBIN": Resolution.LOGICAL_DNS,
    "DYNAMIC_DNS": Resolution.DYNAMIC_DNS,
}
_BY_NAME = (Resolution.STRICT_DNS, Resolution.LOGICAL_DNS)


def entry_services(config: Collection, workloads: Sequence[Workload], cells: Cells) -> Iterator[Service]:
    """One service for each host of each ServiceEntry."""
    for found in config.all(ServiceEntry):
        selected = _selected(found, workloads)
        for host in found.spec.hosts:
            key = ("entry", found.key, host)
            yield cells.kept(key, (found, selected), partial(_service, found, host, selected))


def _selected(found: ConfigObject[ServiceEntry], workloads: Sequence[Workload]) -> tuple[Workload, ...]:
    """The workloads that its selector finds; it may say its endpoints itself instead."""
    selector = found.spec.workload_selector
    if selector is None or found.spec.endpoints:
        return ()
    return tuple(
        w for w in workloads if w.namespace == found.namespace and selects(selector.labels, w.labels)
    )


def _service(found: ConfigObject[ServiceEntry], host: str, workloads: Sequence[Workload]) -> Service:
    spec = found.spec
    selector = spec.workload_selector.labels if spec.workload_selector else {}
    return Service(
        hostname=host,
        namespace=found.namespace,
        name=host,
        ports=tuple(ServicePort(p.name, p.number, protocol_named(p.protocol)) for p in spec.ports),
        addresses=spec.addresses,
        resolution=_RESOLUTIONS[spec.resolution],
        external=spec.location == "MESH_EXTERNAL",
        export_to=spec.export_to,
        labels=found.labels,
        selector=selector,
        endpoints=tuple(_endpoints(found, host, workloads)),
        subject_alt_names=spec.subject_alt_names,
        created=found.created,
    )


def _endpoints(
    found: ConfigObject[ServiceEntry], host: str, workloads: Sequence[Workload]
) -> Iterator[Endpoint]:
    spec = found.spec
    serving: Iterable[Workload] = [
        from_entry(entry, found.name, found.namespace, entry.labels) for entry in spec.endpoints
    ]
    if not serving and spec.workload_selector is not None:
        serving = workloads
    elif not serving and _RESOLUTIONS[spec.resolution] in _BY_NAME:
        serving = [Workload(found.name, found.namespace, host)]
    for workload in serving:
        for port in spec.ports:
            yield endpoint(workload, _target(port, workload), port.name)


def _target(port: Port, workload: Workload) -> int:
    if socket_path(workload.address):
        return 0
    if workload.entry and port.name in workload.ports:
        return workload.ports[port.name]
    return port.target_port or port.number
