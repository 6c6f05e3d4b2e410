"""Gateways: hosts that two servers have, and workloads that are not there."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.analyze.context import Context, selects, shown
from proxy.analyze.kiali.messages import finding
from proxy.analyze.kiali.scope import names
from proxy.analyze.messages import Message
from proxy.api.gateway import Gateway
from proxy.config.objects import ConfigObject


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a host of a gateway is written."""

    gateway: ConfigObject[Gateway]
    server: int
    host: int


def repeated(context: Context) -> Iterator[Message]:
    """KIA0301: servers of the same workloads with one port and host."""
    claims: dict[tuple[int, str, str], list[_Place]] = defaultdict(list)
    for o in context.objects.all(Gateway):
        for i, server in enumerate(o.spec.servers):
            for j, host in enumerate(server.hosts if server.port else ()):
                number = server.port.number if server.port else 0
                claims[number, server.bind, host.rpartition("/")[2]].append(_Place(o, i, j))
    for (number, _, host), places in claims.items():
        for place in places if len(places) > 1 else ():
            rivals = [x.gateway for x in places if _disagree(place, x)]
            if rivals:
                path = ("spec", "servers", place.server, "hosts", place.host)
                yield finding("gateways.multimatch", place.gateway, path, host, number, names(rivals))


def workloads(context: Context) -> Iterator[Message]:
    """KIA0302: selectors that find nothing."""
    for o in context.objects.all(Gateway):
        if not context.selected(o.spec.selector):
            yield finding("gateways.selector", o, ("spec", "selector"), shown(o.spec.selector))


def _disagree(one: _Place, two: _Place) -> bool:
    """Whether they are different servers that a workload may serve both."""
    a, b = one.gateway.spec.selector, two.gateway.spec.selector
    same = (one.gateway.key, one.server) == (two.gateway.key, two.server)
    return not same and (selects(a, b) or selects(b, a))
