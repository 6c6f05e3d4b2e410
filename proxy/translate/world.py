"""What translation reads: the mesh at one moment, and the proxy that it translates for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from proxy.api.base import Model
from proxy.api.mesh import MeshConfig
from proxy.cells import Cells, Look
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject
from proxy.registry.model import Endpoint, Protocol, Service

_Answer = TypeVar("_Answer")
_Spec = TypeVar("_Spec", bound=Model)
Labels = Mapping[str, str]


class ProxyType(StrEnum):
    """First part of a node id."""

    SIDECAR = "sidecar"
    GATEWAY = "router"


class Direction(StrEnum):
    """Of traffic, seen from the workload; ``GATEWAY`` is traffic through the edge."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"
    GATEWAY = "GATEWAY"


class Interception(StrEnum):
    """How traffic gets into a sidecar (node metadata ``INTERCEPTION_MODE``)."""

    REDIRECT = "REDIRECT"
    TPROXY = "TPROXY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class InboundBind:
    """A port of the workload that the sidecar serves for it where nothing intercepts (mode NONE).

    Attributes:
        port: where callers connect; endpoints name this port.
        bind: address that the sidecar listens on.
        app_port: where the application listens on 127.0.0.1.
        protocol: of the port; ``AUTO``: that of the service that has this endpoint, if there is one.
    """

    port: int
    bind: str
    app_port: int
    protocol: Protocol = Protocol.AUTO


@dataclass(frozen=True, slots=True)
class Proxy:
    """One Envoy.

    Attributes:
        id: unique, ``<workload instance>.<namespace>``.
        addresses: of the workload; the first one is its own.
        labels: of the workload.
        workload: name of the Deployment or WorkloadGroup.
        service_account: gives its identity.
        dns_domain: ``<namespace>.svc.<domain>``; short host names are completed by it.
        http_proxy_port: where the sidecar serves as an HTTP proxy, in interception mode NONE; 0: nowhere.
        bind: address that listeners for the application's calls bind to in mode NONE.
        inbound: ports that it serves for the workload in mode NONE.
        dns_capture: the workload resolves names by the mesh: services without an address get one.
        sds_cluster: cluster of its bootstrap that serves secrets; empty: they come with the other resources.
    """

    id: str
    type: ProxyType
    namespace: str
    addresses: tuple[str, ...]
    labels: Labels = field(default_factory=dict)
    workload: str = ""
    service_account: str = "default"
    dns_domain: str = "default.svc.cluster.local"
    locality: str = ""
    network: str = ""
    cluster: str = "Kubernetes"
    interception: Interception = Interception.REDIRECT
    http_proxy_port: int = 0
    bind: str = "127.0.0.1"
    inbound: tuple[InboundBind, ...] = ()
    dns_capture: bool = False
    sds_cluster: str = ""

    @property
    def domain(self) -> str:
        """Suffix of service names: ``cluster.local``; empty where there is none."""
        return self.dns_domain.partition(".svc.")[2]


@dataclass(frozen=True, slots=True)
class Instance:
    """A port of a service that the proxy's own workload serves."""

    service: Service
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class World:
    """The mesh at one moment.

    Attributes:
        config: all objects.
        services: of the registry, in Istio's order: oldest first, then by host name.
        mesh: its settings.
        memo: what was worked out of all this, by whoever needs it again; the rest never changes.
        cells: what is kept from world to world.
        noted: while a cell is made: the world that is asked, and where that is noted.
    """

    config: Collection
    services: tuple[Service, ...]
    mesh: MeshConfig = field(default_factory=MeshConfig)
    memo: dict[tuple[object, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    cells: Cells = field(default_factory=Cells, compare=False, repr=False)
    noted: "_Noted | None" = field(default=None, compare=False, repr=False)

    def look(self, ask: Callable[..., _Answer], *args: object) -> _Answer:
        """The answer of a function of a world and these arguments, which reads nothing else."""
        if self.noted is None:
            return ask(self, *args)
        answer = ask(self.noted.world, *args)
        self.noted.looks.append((ask, args, answer))
        return answer

    def once(self, key: tuple[object, ...], make: Callable[[], _Answer]) -> _Answer:
        """What ``make`` works out, the first time for this world; it must not be changed later."""
        if key not in self.memo:
            self.memo[key] = make()
        found: _Answer = self.memo[key]
        return found

    def noting(self, looks: list[Look]) -> "World":
        """This world; what is asked of it and of its ``config`` is noted. See ``proxy.cells``."""
        return replace(self, config=_NotingCollection.of_world(self, looks), noted=_Noted(self, looks))

    def service(self, host: str, namespace: str) -> Service | None:
        """The service of this name; one in the namespace comes before others."""
        return self.look(_service, host, namespace)

    def instances(self, proxy: Proxy) -> tuple[Instance, ...]:
        """The service ports that this proxy's workload serves, found by its addresses."""
        return tuple(
            Instance(service, endpoint)
            for service in self.services
            for endpoint in service.endpoints
            if endpoint.address in proxy.addresses
        )


@dataclass(frozen=True, slots=True)
class _Noted:
    world: World
    looks: list[Look]


class _NotingCollection(Collection):
    """The objects of a world; notes what is asked of them."""

    __slots__ = ("_noted",)
    _noted: _Noted

    @classmethod
    def of_world(cls, world: World, looks: list[Look]) -> "_NotingCollection":
        made = cls()
        object.__setattr__(made, "_noted", _Noted(world, looks))
        return made

    def all(self, spec: type[_Spec]) -> tuple[ConfigObject[_Spec], ...]:
        return self._ask(_all, spec)

    def get(self, spec: type[_Spec], namespace: str, name: str) -> ConfigObject[_Spec] | None:
        return self._ask(_get, spec, namespace, name)

    def _ask(self, ask: Callable[..., _Answer], *args: object) -> _Answer:
        answer = ask(self._noted.world, *args)
        self._noted.looks.append((ask, args, answer))
        return answer


def _all(world: World, spec: type[_Spec]) -> tuple[ConfigObject[_Spec], ...]:
    return world.config.all(spec)


def _get(world: World, spec: type[_Spec], namespace: str, name: str) -> ConfigObject[_Spec] | None:
    return world.config.get(spec, namespace, name)


def _service(world: World, host: str, namespace: str) -> Service | None:
    found = world.once(("services by host",), lambda: _by_host(world.services)).get(host, ())
    return next((s for s in found if s.namespace == namespace), found[0] if found else None)


def _by_host(services: Iterable[Service]) -> dict[str, list[Service]]:
    made: dict[str, list[Service]] = {}
    for service in services:
        made.setdefault(service.hostname, []).append(service)
    return made
