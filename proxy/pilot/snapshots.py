"""The mesh at this moment, and what each proxy gets of it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.cells import Cells
from proxy.config.collection import Collection
from proxy.config.mesh_config import mesh_config
from proxy.pilot.registrations import Registrations
from proxy.registry.build import services
from proxy.registry.ingress import ingress_objects
from proxy.translate.clusters import clusters
from proxy.translate.endpoints import endpoints
from proxy.translate.gateway_listeners import gateway_listeners
from proxy.translate.gateway_routes import gateway_routes
from proxy.translate.plugins import Plugins
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.sidecar_routes import sidecar_routes
from proxy.translate.world import Proxy, ProxyType, World
from proxy.xds.node import Node, proxy_of
from proxy.xds.resources import CDS, EDS, LDS, RDS, Snapshot

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _State:
    collection: Collection
    world: World


class Snapshots:
    """Makes worlds and snapshots; each world is made once. Used from any thread.

    Args:
        current: all objects of the configuration now.
        registrations: workloads that run.
        plugins: makes the parts of listeners that concern security and telemetry, for one world.
        domain: suffix of service names.
    """

    def __init__(
        self,
        current: Callable[[], Collection],
        registrations: Registrations,
        plugins: Callable[[World], Plugins],
        domain: str,
    ) -> None:
        self._current = current
        self._registrations = registrations
        self._plugins = plugins
        self._domain = domain
        self._cells = Cells()
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._dirty = True

    def changed(self) -> None:
        """Look at configuration and workloads anew."""
        with self._lock:
            self._dirty = True

    def world(self) -> World:
        """The mesh now."""
        with self._lock:
            if self._state is None or self._dirty:
                self._state = self._made(self._current())
                self._dirty = False  # not before: what cannot be read is told to everybody who asks
            return self._state.world

    def snapshot(self, node: Node, previous: Snapshot | None) -> Snapshot:
        """What a proxy gets; see ``proxy.xds.control.Generate``."""
        world = self.world()
        return snapshot_of(world, proxy_of(node), self._plugins(world), previous)

    def _made(self, collection: Collection) -> _State:
        mesh = mesh_config(collection)
        if self._state is not None and self._state.world.mesh == mesh:
            mesh = self._state.world.mesh  # the same object: what was made with it holds
        objects = [*collection.by_key.values(), *self._registrations.objects()]
        config = Collection.of(objects)
        if generated := ingress_objects(config, mesh, self._domain):
            config = Collection.of([*objects, *generated])
        known = services(config, mesh, self._domain, self._cells)
        return _State(collection, World(config, known, mesh, cells=self._cells))


def snapshot_of(world: World, proxy: Proxy, plugins: Plugins, previous: Snapshot | None = None) -> Snapshot:
    """All resources of one proxy but its secrets; those that are as in ``previous`` are taken from it."""
    made = clusters(world, proxy)
    if proxy.type is ProxyType.GATEWAY:
        listeners = gateway_listeners(world, proxy, plugins)
        routes = gateway_routes(world, proxy, sorted(_route_names(listeners)))
    else:
        listeners = sidecar_listeners(world, proxy, plugins)
        routes = sidecar_routes(world, proxy, sorted(_route_names(listeners)))
    assignments = endpoints(world, proxy, [_eds_name(c) for c in made if c.get("type") == "EDS"])
    return Snapshot.of({CDS: made, EDS: assignments, LDS: listeners, RDS: routes}, previous)


def _eds_name(cluster: Mapping[str, Any]) -> str:
    return str(cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"])


def _route_names(value: object) -> set[str]:
    return set(_route_names_in(value))


def _route_names_in(value: object) -> Iterator[str]:
    """Names of route configurations that listeners ask for, wherever in them."""
    if isinstance(value, dict):
        name = value.get("route_config_name")
        if isinstance(name, str):
            yield name
        for key, part in value.items():
            if key != "access_log":  # large, and has none
                yield from _route_names_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _route_names_in(part)
