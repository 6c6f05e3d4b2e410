"""Gateways: ports, and hosts that two of them claim."""

from collections import defaultdict
from collections.abc import Iterator

from proxy.analyze.context import Context, Workload, selects, shown
from proxy.analyze.messages import Message, message
from proxy.api.gateway import Gateway, Server
from proxy.api.kubernetes import Service
from proxy.config.objects import ConfigObject, Key

_SELECTOR = ("spec", "selector")


def conflicts(context: Context) -> Iterator[Message]:
    """Gateways of the same workloads with one port and host."""
    found = context.objects.all(Gateway)
    pods = {o.key: _names(context.selected(o.spec.selector)) for o in found}
    claims: dict[tuple[int, str], list[ConfigObject[Gateway]]] = defaultdict(list)
    for o in found:
        for claim in {claim for server in o.spec.servers for claim in _claims(server)}:
            claims[claim].append(o)
    for o in found:
        for index, server in enumerate(o.spec.servers):
            rivals = {x.key: x for claim in _claims(server) for x in claims[claim] if x.key != o.key}
            same = sorted(x.name for x in rivals.values() if _together(o, x, pods))
            if same and server.port:
                args = (same, shown(o.spec.selector), server.port.number, ",".join(server.hosts))
                yield message("ConflictingGateways", o, ("spec", "servers", index), *args)


def ports(context: Context) -> Iterator[Message]:
    """Selectors that find nothing, and ports that no Service of the gateway's pods has."""
    for o in context.objects.all(Gateway):
        pods = context.selected(o.spec.selector)
        if not pods:
            yield message("ReferencedResourceNotFound", o, _SELECTOR, "selector", shown(o.spec.selector))
            continue
        known = _service_ports(context, pods)
        if any(isinstance(port, str) for port in known):
            continue  # Ports by name: which number a pod gives them is not known.
        for index, server in enumerate(o.spec.servers):
            if server.port and server.port.number not in known:
                args = (server.port.number, shown(o.spec.selector))
                yield message("GatewayPortNotDefinedOnService", o, ("spec", "servers", index, "port"), *args)


def _claims(server: Server) -> Iterator[tuple[int, str]]:
    """Port and host; nothing without a port."""
    if server.port and server.port.number:
        yield from ((server.port.number, host) for host in server.hosts)


def _service_ports(context: Context, pods: list[Workload]) -> set[int | str]:
    """Ports and target ports of the Services that forward to the pods."""
    services = [
        service.spec
        for service in context.objects.all(Service)
        if service.spec.selector
        and any(p.namespace == service.namespace and selects(service.spec.selector, p.labels) for p in pods)
    ]
    return {n for s in services for port in s.ports for n in (port.port, port.target_port or port.port)}


def _names(pods: list[Workload]) -> set[tuple[str, str]]:
    return {(pod.namespace, pod.name) for pod in pods}


def _together(
    one: ConfigObject[Gateway], two: ConfigObject[Gateway], pods: dict[Key, set[tuple[str, str]]]
) -> bool:
    """Whether a pod serves both; without pods, whether one selector asks for all that the other does."""
    if pods[one.key] or pods[two.key]:
        return bool(pods[one.key] & pods[two.key])
    a, b = one.spec.selector, two.spec.selector
    return selects(a, b) or selects(b, a)
