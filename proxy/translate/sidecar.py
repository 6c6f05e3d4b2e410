"""All listeners of a sidecar."""

from typing import Any

from proxy.translate.http_manager import Build
from proxy.translate.inbound import inbound_listeners
from proxy.translate.outbound import outbound_listeners
from proxy.translate.plugins import NoPlugins, Plugins
from proxy.translate.scope import scope
from proxy.translate.world import Proxy, World

Json = dict[str, Any]


def sidecar_listeners(world: World, proxy: Proxy, plugins: Plugins | None = None) -> list[Json]:
    """The listeners of a sidecar, as JSON of ``envoy.config.listener.v3.Listener``; names are unique.

    Args:
        world: the mesh.
        proxy: whose listeners they are.
        plugins: adds filters of security and telemetry; None: nothing is added.
    """
    seen = scope(world, proxy)
    build = Build(world, proxy, plugins or NoPlugins())
    made = [*inbound_listeners(build, seen), *outbound_listeners(build, seen)]
    return list({listener["name"]: listener for listener in made}.values())
