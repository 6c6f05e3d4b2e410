"""Which virtual services a gateway uses, and for which of its hosts."""

from collections.abc import Sequence

from proxy.api.virtual_service import VirtualService
from proxy.config.objects import ConfigObject
from proxy.translate.destination_rules import exported
from proxy.translate.names import full_host, matches
from proxy.translate.route_match import gateway_name
from proxy.translate.world import Proxy, World


def bound_to(world: World, proxy: Proxy, gateway: str) -> list[ConfigObject[VirtualService]]:
    """Virtual services of a gateway (``namespace/name``) that this proxy may see, oldest first."""
    default = world.mesh.default_virtual_service_export_to or ("*",)
    return [
        found
        for found in world.config.all(VirtualService)
        if any(gateway_name(name, found.namespace) == gateway for name in found.spec.gateways)
        and exported(found.spec.export_to or default, found.namespace, proxy.namespace)
    ]


def common_hosts(
    virtual_service: ConfigObject[VirtualService], server_hosts: Sequence[str], domain: str
) -> list[str]:
    """Hosts that both a server and a virtual service name: of two wildcards, the narrower one.

    Args:
        virtual_service: with its hosts.
        server_hosts: ``namespace/host``; the namespace says whose virtual services may be bound.
        domain: of the mesh; completes short names.
    """
    found: dict[str, None] = {}
    for host in virtual_service.spec.hosts:
        name = full_host(host, virtual_service.namespace, domain)
        for server_host in server_hosts:
            namespace, _, pattern = server_host.partition("/")
            if namespace not in ("*", virtual_service.namespace):
                continue
            if matches(name, pattern):
                found[name] = None
            elif matches(pattern, name):
                found[pattern] = None
    return list(found)
