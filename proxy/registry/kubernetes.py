"""Services that Kubernetes' objects declare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from proxy.api.kubernetes import EndpointSlice
from proxy.api.kubernetes import Service as ServiceSpec
from proxy.api.kubernetes import ServicePort as PortSpec
from proxy.cells import Cells
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.registry.model import Endpoint, Resolution, Service, ServicePort
from proxy.registry.protocols import port_protocol
from proxy.registry.workloads import Workload, selects

EXPORT_TO = "networking.istio.io/exportTo"
_SLICE_OF = "kubernetes.io/service-name"
_HEADLESS = "None"


def kubernetes_services(
    config: Collection, workloads: Sequence[Workload], domain: str, cells: Cells
) -> Iterator[Service]:
    """The services of Kubernetes, with the pods and workload entries that their selectors find."""
    slices = config.all(EndpointSlice)
    pods = {workload.address: workload for workload in workloads if not workload.entry}
    by_namespace: dict[str, list[Workload]] = {}
    for workload in workloads:
        by_namespace.setdefault(workload.namespace, []).append(workload)
    for found in config.all(ServiceSpec):
        near = by_namespace.get(found.namespace, ())
        selected = tuple(w for w in near if found.spec.selector and selects(found.spec.selector, w.labels))
        sliced = tuple(_sliced([s for s in slices if _belongs(s, found)], pods))
        key = ("kubernetes", found.key, domain)
        yield cells.kept(key, (found, selected, sliced), partial(_service, found, selected, sliced, domain))


def _belongs(piece: ConfigObject[EndpointSlice], service: ConfigObject[ServiceSpec]) -> bool:
    return piece.namespace == service.namespace and piece.labels.get(_SLICE_OF) == service.name


def _service(
    found: ConfigObject[ServiceSpec],
    workloads: Sequence[Workload],
    sliced: Sequence[Endpoint],
    domain: str,
) -> Service:
    spec = found.spec
    endpoints = (*_selected(found, workloads), *sliced)
    return Service(
        hostname=f"{found.name}.{found.namespace}.svc.{domain}"
        if domain
        else f"{found.name}.{found.namespace}",
        namespace=found.namespace,
        name=found.name,
        ports=tuple(_port(port) for port in spec.ports),
        addresses=_addresses(spec),
        resolution=_resolution(spec),
        export_to=tuple(
            part.strip() for part in found.annotations.get(EXPORT_TO, "").split(",") if part.strip()
        ),
        labels=found.labels,
        selector=spec.selector,
        endpoints=tuple({(e.address, e.port, e.service_port): e for e in endpoints}.values()),
        alias_of=spec.external_name if spec.type == "ExternalName" else "",
        created=found.created,
    )


def _port(port: PortSpec) -> ServicePort:
    return ServicePort(port.name, port.port, port_protocol(port.name, port.app_protocol, port.protocol))


def _addresses(spec: ServiceSpec) -> tuple[str, ...]:
    every = spec.cluster_ips or (spec.cluster_ip,)
    return tuple(address for address in every if address and address != _HEADLESS)


def _resolution(spec: ServiceSpec) -> Resolution:
    if spec.type == "ExternalName":
        return Resolution.ALIAS
    return Resolution.PASSTHROUGH if spec.cluster_ip == _HEADLESS else Resolution.EDS


def _selected(found: ConfigObject[ServiceSpec], workloads: Iterable[Workload]) -> Iterator[Endpoint]:
    for workload in workloads:
        for port in found.spec.ports:
            number = _target(port, workload)
            if number:
                yield endpoint(workload, number, port.name)


def _target(port: PortSpec, workload: Workload) -> int:
    """Where the workload listens: its own word for the port counts if it is a WorkloadEntry."""
    if workload.entry and port.name in workload.ports:
        return workload.ports[port.name]
    if isinstance(port.target_port, str):
        return workload.ports.get(port.target_port, 0)
    return port.target_port or port.port


def endpoint(workload: Workload, port: int, service_port: str) -> Endpoint:
    """The endpoint that a workload is for a port of a service."""
    return Endpoint(
        address=workload.address,
        port=port,
        service_port=service_port,
        labels=workload.labels,
        namespace=workload.namespace,
        workload=workload.name,
        service_account=workload.service_account,
        mesh=workload.mesh,
        locality=workload.locality,
        weight=workload.weight,
        network=workload.network,
    )


def _sliced(
    slices: Sequence[ConfigObject[EndpointSlice]], pods: Mapping[str, Workload]
) -> Iterator[Endpoint]:
    for piece in slices:
        for found in piece.spec.endpoints:
            for address in found.addresses:
                workload = pods.get(address) or Workload("", piece.namespace, address)
                for port in piece.spec.ports:
                    yield endpoint(workload, port.port, port.name)
