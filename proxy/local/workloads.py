"""Which processes a mesh of this machine has, from its Deployments.

A Deployment whose container has a ``command`` is started here; its pods get an address of their own in
127.0.0.0/8, where their sidecars listen, while the applications listen on 127.0.0.1. A Deployment with the
label or annotation of Istio's gateway template is a gateway: an Envoy alone.
"""

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from proxy.api.kubernetes import Container, Deployment, PodMeta
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from vigla.errors import SettingsError

STATUS_PORT, READY_PORT = 15020, 15021
"""Of each agent, as Istio has them: every workload has an address of its own."""

_BLOCKS, _LAST = 200, 254
ADDRESS = "vigla.io/address"
"""Annotation of a pod template: the workload's address, for applications outside the mesh."""

TEMPLATES = "inject.istio.io/templates"
GATEWAY = "gateway"
INJECT = "sidecar.istio.io/inject"


@dataclass(frozen=True, slots=True)
class AppPort:
    """A port of a workload.

    Attributes:
        name: of the container port; ``http``, ``tcp-...``.
        port: that callers use, at the workload's address.
    """

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class LocalWorkload:
    """One replica of a Deployment.

    Attributes:
        instance: name of the pod, ``<deployment>-<number>``.
        address: of the sidecar, on the loopback interface.
        bind: another one, where the sidecar takes the application's own calls.
        command: starts the application; empty for gateways.
        environment: of the application, as the Deployment says.
        gateway: an Envoy without an application.
        sidecar: whether an Envoy stands before the application.
    """

    instance: str
    namespace: str
    deployment: str
    address: str
    bind: str
    labels: Mapping[str, str]
    service_account: str = "default"
    ports: tuple[AppPort, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    gateway: bool = False
    sidecar: bool = True


class Block:
    """Addresses of one mesh, which no other mesh of this machine gets until ``close``; a context manager."""

    def __init__(self) -> None:
        """Take the first free block.

        Raises:
            SettingsError: too many meshes run here.
        """
        for number in range(_BLOCKS):
            try:
                self._held = socket.create_server((f"127.20.{number}.{_LAST}", STATUS_PORT))
            except OSError:
                continue
            self.number = number
            return
        raise SettingsError(f"{_BLOCKS} meshes run on this machine: stop one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the addresses back."""
        self._held.close()


def local_workloads(config: Collection, block: Block) -> tuple[LocalWorkload, ...]:
    """The workloads that this machine runs, by name; they have the same addresses at every start."""
    deployments = sorted(config.all(Deployment), key=lambda d: (d.namespace, d.name))
    addresses = zip(_addresses(20, block.number), _addresses(21, block.number), strict=True)
    return tuple(w for d in deployments for w in _replicas(d, addresses))


def _addresses(second: int, block: int) -> Iterator[str]:
    address = ipaddress.IPv4Address(f"127.{second}.{block}.1")
    while True:
        yield str(address)
        address += 1


def _replicas(
    deployment: ConfigObject[Deployment], addresses: Iterator[tuple[str, str]]
) -> Iterator[LocalWorkload]:
    template = deployment.spec.template
    gateway = template.metadata.annotations.get(TEMPLATES) == GATEWAY
    container = _started(template.spec.containers)
    if container is None and not gateway:
        return
    for number in range(deployment.spec.replicas):
        address, bind = next(addresses)
        yield LocalWorkload(
            instance=f"{deployment.name}-{number}",
            namespace=deployment.namespace,
            deployment=deployment.name,
            address=template.metadata.annotations.get(ADDRESS, address),
            bind=bind,
            labels=template.metadata.labels,
            service_account=template.spec.service_account_name or "default",
            ports=tuple(_ports(template.spec.containers)),
            command=(*container.command, *container.args) if container else (),
            environment=_environment(container) if container else {},
            gateway=gateway,
            sidecar=_injected(template.metadata),
        )


def _injected(metadata: PodMeta) -> bool:
    return metadata.labels.get(INJECT, metadata.annotations.get(INJECT)) != "false"


def _started(containers: Iterable[Container]) -> Container | None:
    return next((container for container in containers if container.command), None)


def _ports(containers: Iterable[Container]) -> Iterator[AppPort]:
    for container in containers:
        for port in container.ports:
            yield AppPort(port.name, port.container_port)


def _environment(container: Container) -> dict[str, str]:
    """Plain values; those from elsewhere (``valueFrom``) mean nothing here."""
    return {str(e["name"]): str(e["value"]) for e in container.env if "name" in e and "value" in e}
