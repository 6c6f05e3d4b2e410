"""Gateways: ports, and hosts that two of them claim."""

from collections.abc import Iterator

from proxy.analyze.context import Context, selects, shown
from proxy.analyze.messages import Message, message
from proxy.api.gateway import Gateway
from proxy.api.kubernetes import Service


def conflicts(context: Context) -> Iterator[Message]:
    """Gateways of the same workloads with one port and host."""
    found = context.objects.all(Gateway)
    for o in found:
        rivals = [x for x in found if x.key != o.key and selects(x.spec.selector, o.spec.selector)]
        for index, server in enumerate(o.spec.servers):
            port = server.port.number if server.port else 0
            same = [
                x.name
                for x in rivals
                for s in x.spec.servers
                if port and s.port and s.port.number == port and set(s.hosts) & set(server.hosts)
            ]
            if same:
                args = (sorted(set(same)), shown(o.spec.selector), port, ",".join(server.hosts))
                yield message("ConflictingGateways", o, ("spec", "servers", index), *args)


def ports(context: Context) -> Iterator[Message]:
    """Ports that no Service of the gateway's pods forwards to."""
    for o in context.objects.all(Gateway):
        pods = [p for p in context.pods() if selects(o.spec.selector, p[2])]
        targets = {
            port.target_port or port.port
            for service in context.objects.all(Service)
            if service.spec.selector
            and any(p[0] == service.namespace and selects(service.spec.selector, p[2]) for p in pods)
            for port in service.spec.ports
        }
        for index, server in enumerate(o.spec.servers if pods else ()):
            if server.port and server.port.number not in targets:
                args = (server.port.number, shown(o.spec.selector))
                yield message("GatewayPortNotDefinedOnService", o, ("spec", "servers", index, "port"), *args)
